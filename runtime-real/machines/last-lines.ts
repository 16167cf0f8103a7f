/**
 * The last lines of a console, for the reason why a guest has crashed; of a kernel that has panicked, the line that
 * says why. The reason is shown on terminals and kept in the replicated state, so what a guest wrote becomes a short
 * text without any control.
 */
import { stripVTControlCharacters } from "node:util";
import { ConsoleFileReader } from "./console-reader.ts";

const LINES_MAX = 3;
/** Behind the line that tells of a panic there is a trace of the stack. */
const LINES_SEARCHED = 100;
const PANIC = /(?<!end )Kernel panic - .*/;
const BYTES_SEARCHED = 64 * 1024;
/** In UTF-16 code units. A reason has 256 at most, and is cut there. */
const LENGTH_MAX = 160;
/** Controls, invisible characters, halves of characters, and blanks of all kinds. */
const UNSHOWN = /[\p{C}\p{Z}]+/gu;

/** @param folder that of the run. Empty: it has written nothing. */
export function lastLines(folder: string): string {
  const reader = new ConsoleFileReader(folder, LINES_SEARCHED);
  let text = "";
  try {
    for (let piece = reader.next(); piece !== null; piece = reader.next())
      if (piece.kind === "output") text = (text + new TextDecoder().decode(piece.bytes)).slice(-BYTES_SEARCHED);
  } finally {
    reader.close();
  }
  const lines = stripVTControlCharacters(text)
    .split(/[\r\n]+/)
    .map((line) => line.replace(UNSHOWN, " ").trim());
  const panic = lines.findLast((line) => PANIC.test(line));
  const shown =
    panic ??
    lines
      .filter((line) => line !== "")
      .slice(-LINES_MAX)
      .join(" / ");
  return shown.length <= LENGTH_MAX ? shown : `...${shown.slice(3 - LENGTH_MAX).toWellFormed()}`;
}
