import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { lastLines } from "./last-lines.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "blixard-test-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test.each([
  [
    "a panic, with a trace behind it",
    `boot\r\nKernel panic - not syncing: out of paper\r\nCPU: 0\r\n${"trace\r\n".repeat(50)}---[ end Kernel panic - not syncing ]---\r\n`,
    "Kernel panic - not syncing: out of paper",
  ],
  ["the last lines", "one\r\ntwo\r\nthree\r\nRebooting\r\n", "two / three / Rebooting"],
  ["colours and controls", "\u001b[31mred\u001b[0m\u0007 \u009b1m \u202ereversed\n", "red reversed"],
  ["a title that a terminal would take", "\u001b]0;owned\u0007done\n", "done"],
  ["nothing", "", ""],
  ["blank lines", "\r\n\r\n\r\n", ""],
])("%s", (_, written, shown) => {
  writeFileSync(join(folder, "console.log"), written);
  expect(lastLines(folder)).toBe(shown);
});

test("a long line is shown by its end, and without a console there is nothing", () => {
  expect(lastLines(folder)).toBe("");
  writeFileSync(join(folder, "console.log"), `${"x".repeat(100_000)}${"🙂".repeat(200)} end`);
  const shown = lastLines(folder);
  expect(shown.length).toBeLessThanOrEqual(160);
  expect(shown).toMatch(/^\.\.\..*🙂 end$/u);
  expect(shown.isWellFormed()).toBe(true);
});
