/** Columns for people. */
import { stripVTControlCharacters } from "node:util";
import { padEnd, padStart } from "./terminal.ts";

/**
 * Lines with one cell a column, two blanks apart, each column as wide as its widest cell. `align` has one letter a column: `<` for words,
 * `>` for numbers. The last column is not padded.
 */
export function table(align: string, rows: readonly (readonly string[])[]): string[] {
  const widths = Array.from(align, (_, column) =>
    Math.max(0, ...rows.map((row) => stripVTControlCharacters(row[column] ?? "").length)),
  );
  return rows.map((row) =>
    Array.from(align, (side, column) => {
      const cell = row[column] ?? "";
      return side === ">" ? padStart(cell, widths[column] ?? 0) : padEnd(cell, widths[column] ?? 0);
    })
      .join("  ")
      .trimEnd(),
  );
}

export function indent(lines: readonly string[]): string[] {
  return lines.map((line) => (line === "" ? "" : `  ${line}`));
}
