/** Where a command's output goes. Commands use this and not `process`, so that tests can read it. */
import { clearLine, cursorTo } from "node:readline";
import { stripVTControlCharacters, styleText } from "node:util";

export type Style = Parameters<typeof styleText>[0];

/** Adds style to text; none where the output is no terminal or NO_COLOR is set. */
export type Paint = (style: Style, text: string) => string;

export interface Terminal {
  /** Results: a line, to standard output. */
  out(line: string): void;
  /** Everything that is not the result: a line, to standard error. */
  err(line: string): void;
  readonly paintOut: Paint;
  readonly paintErr: Paint;
  /** Shows a line that the next one replaces. Does nothing where the output is no terminal. */
  progress(line: string): void;
  /** Whether progress lines are shown. */
  readonly showsProgress: boolean;
  /** The width. Infinity where output goes to a file or a program. */
  readonly columns: number;
}

export const plain: Paint = (_style, text) => text;

/** A terminal over a pair of streams, such as the process's. */
export function terminalOver(out: NodeJS.WriteStream, err: NodeJS.WriteStream): Terminal {
  const showsProgress = err.isTTY === true;
  let shown = false;
  const clear = (): void => {
    if (!shown) return;
    shown = false;
    cursorTo(err, 0);
    clearLine(err, 0);
  };
  return {
    out(line) {
      clear();
      out.write(`${line}\n`);
    },
    err(line) {
      clear();
      err.write(`${line}\n`);
    },
    paintOut: (style, text) => styleText(style, text, { stream: out }),
    paintErr: (style, text) => styleText(style, text, { stream: err }),
    progress(line) {
      clear();
      if (!showsProgress || line === "") return;
      shown = true;
      // A line that wraps could not be replaced. A terminal that does not know its width says 0.
      err.write(line.slice(0, (err.columns || 80) - 1));
    },
    showsProgress,
    get columns() {
      // A terminal that does not know its width says 0.
      return out.isTTY === true ? out.columns || 80 : Number.POSITIVE_INFINITY;
    },
  };
}

/** Pads a text to a visible width: colours do not count. */
export function padEnd(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - stripVTControlCharacters(text).length));
}

export function padStart(text: string, width: number): string {
  return " ".repeat(Math.max(0, width - stripVTControlCharacters(text).length)) + text;
}
