/** Columns for people. */
import { stripVTControlCharacters } from "node:util";
import { padEnd, padStart } from "./terminal.ts";

/**
 * Lines with one cell per column, two blanks apart, each column as wide as its widest cell. `align` has one letter per
 * column: `<` for words, `>` for numbers. The last column is not padded.
 */
export function table(align: string, rows: readonly (readonly string[])[]): string[] {
  const widths = widthsOf(align, rows);
  return rows.map((row) =>
    Array.from(align, (side, column) => {
      const cell = row[column] ?? "";
      return side === ">" ? padStart(cell, widths[column] ?? 0) : padEnd(cell, widths[column] ?? 0);
    })
      .join("  ")
      .trimEnd(),
  );
}

/**
 * Like `table`; where that is too wide for the terminal, the widest columns of words are shortened. The first column
 * stays whole: it is what a user types in the next command. A cell that is shortened loses its colour.
 */
export function fitTable(align: string, rows: readonly (readonly string[])[], columns: number): string[] {
  const widths = widthsOf(align, rows);
  let excess = widths.reduce((sum, width) => sum + width + 2, -2) - columns;
  while (excess > 0) {
    let widest = -1;
    let width = SHORTEST;
    for (let column = 1; column < widths.length; column++) {
      const here = widths[column] ?? 0;
      if (align[column] === "<" && here > width) [widest, width] = [column, here];
    }
    if (widest === -1) break;
    widths[widest] = width - 1;
    excess--;
  }
  const short = (cell: string, width: number): string => {
    const seen = stripVTControlCharacters(cell);
    return seen.length <= width ? cell : `${seen.slice(0, width - 1)}…`;
  };
  return table(
    align,
    rows.map((row) => row.map((cell, column) => (align[column] === "<" ? short(cell, widths[column] ?? 0) : cell))),
  );
}

/** The width of each column's widest cell, without control characters. */
function widthsOf(align: string, rows: readonly (readonly string[])[]): number[] {
  return Array.from(align, (_, column) =>
    Math.max(0, ...rows.map((row) => stripVTControlCharacters(row[column] ?? "").length)),
  );
}

/** A column is not made narrower than this. */
const SHORTEST = 8;

export function indent(lines: readonly string[]): string[] {
  return lines.map((line) => (line === "" ? "" : `  ${line}`));
}
