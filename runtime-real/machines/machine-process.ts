/**
 * The process of one run, as the supervisor has it: a child of its own (child-process.ts), or the process of a systemd
 * unit (units.ts).
 */
export interface MachineProcess {
  /** Null: it has none yet. */
  readonly pid: number | null;
  /** Into the serial line of the guest. */
  type(bytes: Uint8Array): void;
  /** A command for its monitor. Its answer comes as an event. */
  tell(command: string): void;
  kill(signal: "SIGTERM" | "SIGKILL"): void;
}

export interface MachineListener {
  /** It has a pid now. */
  started(): void;
  /** A line of QMP. */
  event(line: string): void;
  /** What the guest has written. */
  output(bytes: Uint8Array): void;
  /** Once, and nothing comes after it. */
  ended(end: ProcessEnd): void;
  /** Somebody ends it by its unit: see `RunEnd`. */
  asked(by: Asker): void;
}

/** unit: somebody has stopped its unit. host: its host shuts down, or somebody has stopped the supervisor. */
export const ASKERS = ["unit", "host"] as const;
export type Asker = (typeof ASKERS)[number];

export interface ProcessEnd {
  readonly how: "exited" | "killed" | "notStarted";
  /** For people. */
  readonly detail: string;
}

/** How much of what QEMU writes on its standard error is kept, in UTF-16 code units. */
export const LAST_WORDS_LENGTH = 1024;

/** Typed characters that wait for one guest. */
export const TYPED_BACKLOG_BYTES = 64 * 1024;

/** What it said last, or else how it ended. */
export function detailOf(lastWords: string, otherwise: string): string {
  const said = lastWords.trim().split("\n").at(-1) ?? "";
  return said === "" ? otherwise : said;
}

export function notStarted(error: unknown): ProcessEnd {
  const detail = error instanceof Error ? error.message : String(error);
  return { how: "notStarted", detail: `it could not be started: ${detail}` };
}
