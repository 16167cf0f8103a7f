import fc from "fast-check";
import { expect, test } from "vitest";
import { FrameReader, FrameTooLong, joinFrames } from "./frames.ts";

const frames = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 10 });

test("frames are read as they were written, whatever pieces the bytes come in", () => {
  fc.assert(
    fc.property(frames, fc.infiniteStream(fc.integer({ min: 1, max: 50 })), (sent, cuts) => {
      const bytes = joinFrames(sent);
      const got: number[][] = [];
      const reader = new FrameReader(300, (frame) => got.push([...frame]));
      for (let at = 0; at < bytes.length; ) {
        const cut = cuts.next().value ?? 1;
        reader.push(bytes.subarray(at, at + cut));
        at += cut;
      }
      expect(got).toEqual(sent.map((frame) => [...frame]));
    }),
  );
});

test("a frame beyond the limit is refused by its head, before any of it is kept", () => {
  const reader = new FrameReader(100, () => undefined);
  expect(() => reader.push(Uint8Array.of(0, 0, 0, 101))).toThrow(new FrameTooLong(101, 100));
});

test("memory for a frame grows with the bytes that have come, not with its announced length", () => {
  const readers = Array.from({ length: 1000 }, () => new FrameReader(2 ** 30, () => undefined));
  const before = process.memoryUsage().arrayBuffers;
  for (const reader of readers) reader.push(Uint8Array.of(0x3f, 0, 0, 0, 1));
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(100 * 2 ** 20);
});

test("large frames are put together without copying them over and over", () => {
  const frame = new Uint8Array(8 * 2 ** 20).fill(7);
  const bytes = joinFrames([frame]);
  let got = new Uint8Array(0);
  const reader = new FrameReader(frame.length, (whole) => {
    got = whole.slice();
  });
  for (let at = 0; at < bytes.length; at += 4096) reader.push(bytes.subarray(at, at + 4096));
  expect(Buffer.compare(got, frame)).toBe(0);
});
