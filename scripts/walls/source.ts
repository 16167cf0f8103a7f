import { type Comment, type OxcError, type Program, parseSync } from "oxc-parser";

/** A file of a room, parsed. */
export interface Source {
  /** Relative to the project's root, with forward slashes. */
  readonly path: string;
  readonly text: string;
  readonly isTest: boolean;
  readonly program: Program;
  readonly comments: readonly Comment[];
  readonly errors: readonly OxcError[];
}

/** What crosses a wall. */
export interface Breach {
  readonly path: string;
  readonly line: number;
  readonly message: string;
}

export function sourceOf(path: string, text: string): Source {
  const { program, comments, errors } = parseSync(path, text);
  return { path, text, isTest: path.endsWith(".test.ts"), program, comments, errors };
}

/** @param offset where in the text it is. */
export function breachAt({ path, text }: Source, offset: number, message: string): Breach {
  return { path, line: text.slice(0, offset).split("\n").length, message };
}
