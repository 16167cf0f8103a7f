import { expect, test } from "vitest";
import { fitTable } from "./table.ts";

test("a table that is too wide for the terminal is shortened where there are most words", () => {
  const rows = [
    ["NAME", "ABOUT", "N"],
    ["web", "a very long description of something", "12"],
  ];
  const lines = fitTable("<<>", rows, 30);
  expect(lines.map((line) => line.length)).toEqual([30, 30]);
  expect(lines[1]).toMatch(/^web {3}a very long .*… {2}12$/);
  expect(fitTable("<<>", rows, Number.POSITIVE_INFINITY)[1]).toContain("description of something");
});
