import fc from "fast-check";
import { expect, test } from "vitest";
import { LogLines } from "./log-lines.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

test("lines end with a line feed, and carriage returns before it are no part of them", () => {
  const lines = new LogLines();
  expect(lines.push(bytes("one\r\ntwo\r\r\n\nthr"))).toEqual(["one", "two", ""]);
  expect(lines.push(bytes("ee\nprompt"))).toEqual(["three"]);
  expect(lines.end()).toEqual(["prompt"]);
  expect(lines.end()).toEqual([]);
});

test("however the bytes come, the text is the same", () => {
  const text = "Grüße\r\n世界 🙂\nend";
  const whole = bytes(text);
  fc.assert(
    fc.property(fc.array(fc.nat(whole.length)), (cuts) => {
      const lines = new LogLines();
      const at = [0, ...cuts.sort((a, b) => a - b), whole.length];
      const heard = at.slice(1).flatMap((end, n) => lines.push(whole.subarray(at[n], end)));
      expect([...heard, ...lines.end()]).toEqual(["Grüße", "世界 🙂", "end"]);
    }),
  );
});

test("a line without an end comes in pieces", () => {
  const lines = new LogLines();
  const heard = lines.push(bytes("x".repeat(20_000)));
  expect(heard.map(({ length }) => length)).toEqual([8192, 8192]);
  expect(lines.end()).toEqual(["x".repeat(20_000 - 2 * 8192)]);
});

test("after a loss the text begins anew, also in the middle of a character", () => {
  const lines = new LogLines();
  lines.push(bytes("🙂").subarray(0, 2));
  expect(lines.end()).toEqual(["\ufffd"]);
  expect(lines.push(bytes("ok\n"))).toEqual(["ok"]);
});
