import { expect, test } from "vitest";
import { table } from "./table.ts";
import { padEnd, padStart } from "./terminal.ts";

const green = (text: string): string => `\u001b[32m${text}\u001b[39m`;

test("colours take no room", () => {
  expect(padEnd(green("ok"), 4)).toBe(`${green("ok")}  `);
  expect(padStart(green("ok"), 4)).toBe(`  ${green("ok")}`);
  expect(padEnd("longer", 4)).toBe("longer");
});

test("columns are as wide as their widest cell, and the last one ends where its text does", () => {
  expect(
    table("<><", [
      ["a", "1", "x"],
      ["long", "12,345", ""],
      [green("b"), "22", "yes"],
    ]),
  ).toEqual(["a          1  x", "long  12,345", `${green("b")}         22  yes`]);
  expect(table("<>", [])).toEqual([]);
});
