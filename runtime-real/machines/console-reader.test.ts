/** What readers of a console see while it is written, replaced and removed. */
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ConsoleFile } from "./console-file.ts";
import { ConsoleFileReader } from "./console-reader.ts";

const FILE_BYTES_MAX = 512 * 1024;
const LOST = "<lost>";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "blixard-test-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** All that the reader sees now. */
function heard(reader: ConsoleFileReader): string {
  let text = "";
  for (let piece = reader.next(); piece !== null; piece = reader.next())
    text += piece.kind === "lost" ? LOST : new TextDecoder().decode(piece.bytes);
  return text;
}

/** Lines with numbers, `count` of them, of 64 bytes each. */
function numbered(from: number, count: number): string {
  return Array.from({ length: count }, (_, n) => `${from + n}`.padEnd(63, "."))
    .join("\n")
    .concat("\n");
}

test("a guest that writes for ever fills two files of bounded size", () => {
  const file = new ConsoleFile(folder);
  for (let n = 0; n < 100; n++) file.add(new Uint8Array(64 * 1024));
  const sizes = readdirSync(folder).map((name) => statSync(join(folder, name)).size);
  expect(sizes).toHaveLength(2);
  for (const size of sizes) expect(size).toBeLessThanOrEqual(FILE_BYTES_MAX);
});

test("a reader sees what is kept and what follows, across a replacement of the files", () => {
  const file = new ConsoleFile(folder);
  file.add(bytes("before\n"));
  const reader = new ConsoleFileReader(folder, null);
  expect(heard(reader)).toBe("before\n");
  file.add(bytes("more"));
  expect(heard(reader)).toBe("more");
  const first = numbered(0, FILE_BYTES_MAX / 64 - 100);
  const second = numbered(10_000, 200);
  file.add(bytes(first));
  file.add(bytes(second));
  expect(existsSync(join(folder, "console.1.log"))).toBe(true);
  expect(heard(reader)).toBe(first + second);
  reader.close();
});

test("a reader that is too slow loses the middle, sees a mark for it, and goes on", () => {
  const file = new ConsoleFile(folder);
  file.add(bytes("start\n"));
  const reader = new ConsoleFileReader(folder, null);
  expect(reader.next()).toMatchObject({ kind: "output" });
  const parts = Array.from({ length: 5 }, (_, n) => numbered(n * 100_000, FILE_BYTES_MAX / 64));
  for (const part of parts) file.add(bytes(part));
  const text = heard(reader);
  expect(text).toBe(`${LOST}${parts[3]}${parts[4]}`);
  file.add(bytes("end\n"));
  expect(heard(reader)).toBe("end\n");
  reader.close();
});

test("a reader that has the file open reads it to its end, however often it was replaced", () => {
  const file = new ConsoleFile(folder);
  const kept = numbered(0, 2000);
  file.add(bytes(kept));
  const reader = new ConsoleFileReader(folder, null);
  for (let n = 0; n < 3; n++) file.add(bytes(numbered(0, FILE_BYTES_MAX / 64)));
  expect(heard(reader).startsWith(`${kept}${LOST}`)).toBe(true);
  reader.close();
});

test("before the guest has written, a reader waits; when the directory is gone, it sees nothing more", () => {
  const reader = new ConsoleFileReader(folder, 0);
  expect(reader.next()).toBeNull();
  const file = new ConsoleFile(folder);
  file.add(bytes("hello"));
  expect(heard(reader)).toBe("hello");
  rmSync(folder, { recursive: true });
  expect(reader.next()).toBeNull();
  reader.close();
});

test("a reader that was there before the first byte sees it, although the file has been replaced since", () => {
  const reader = new ConsoleFileReader(folder, null);
  const file = new ConsoleFile(folder);
  const parts = [numbered(0, FILE_BYTES_MAX / 64), numbered(9000, 2)];
  for (const part of parts) file.add(bytes(part));
  expect(heard(reader)).toBe(parts.join(""));
  reader.close();
});

test.each([
  [0, ""],
  [1, "five"],
  [2, "four\nfive"],
  [3, "three\nfour\nfive"],
  [4, "\nthree\nfour\nfive"],
  [99, "one\n\nthree\nfour\nfive"],
])("with the last %i lines", (count, text) => {
  new ConsoleFile(folder).add(bytes("one\n\nthree\nfour\nfive"));
  const reader = new ConsoleFileReader(folder, count);
  expect({ text: heard(reader), kept: reader.keptBytes }).toEqual({ text, kept: text.length });
  reader.close();
});

test("the last lines may be in both files", () => {
  const file = new ConsoleFile(folder);
  file.add(bytes(numbered(0, FILE_BYTES_MAX / 64)));
  file.add(bytes(numbered(9000, 2)));
  const reader = new ConsoleFileReader(folder, 5);
  expect(heard(reader)).toBe(numbered(FILE_BYTES_MAX / 64 - 3, 3) + numbered(9000, 2));
  reader.close();
});

test("a reader sees everything in order, or a mark where it does not", () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant("write"), size: fc.integer({ min: 1, max: 200_000 }) } as const),
    fc.record({ kind: fc.constant("read"), pieces: fc.integer({ min: 1, max: 8 }) } as const),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const own = mkdtempSync(join(folder, "run-"));
      const file = new ConsoleFile(own);
      const reader = new ConsoleFileReader(own, null);
      // Each 4 bytes are a number, one more than the last.
      let written = 0;
      let expected = 0;
      // A reader begins with what is kept when it first sees something.
      let isAfterLoss = true;
      const read = (): boolean => {
        const piece = reader.next();
        if (piece?.kind === "lost") isAfterLoss = true;
        else if (piece !== null) {
          const numbers = new Uint32Array(piece.bytes.slice().buffer);
          const [first = 0] = numbers;
          if (isAfterLoss) expect(first).toBeGreaterThanOrEqual(expected);
          else expect(first).toBe(expected);
          expect(numbers.every((number, at) => number === first + at)).toBe(true);
          isAfterLoss = false;
          expected = first + numbers.length;
        }
        return piece !== null;
      };
      for (const one of steps) {
        if (one.kind === "read") for (let n = 0; n < one.pieces && read(); n++);
        else {
          const numbers = Uint32Array.from({ length: Math.ceil(one.size / 4) }, () => written++);
          file.add(new Uint8Array(numbers.buffer));
        }
      }
      while (read());
      expect(expected).toBe(written);
      reader.close();
    }),
    { numRuns: 30 },
  );
});
