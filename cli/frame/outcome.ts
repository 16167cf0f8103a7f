/** How a command ends: its exit code, and the two errors a command throws on purpose. */

export const EXIT = {
  /** Everything that was asked for was done, and what was checked holds. */
  holds: 0,
  /** Something was violated, or could not be done. */
  failed: 1,
  /** The command line makes no sense. */
  usage: 2,
  /** SIGINT, as shells count it: 128 + 2. */
  interrupted: 130,
  /** SIGTERM, as shells count it: 128 + 15. */
  terminated: 143,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** The command line makes no sense. `hint` says what to write instead. Exit code 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
  readonly hint: string;

  constructor(message: string, hint: string) {
    super(message);
    this.hint = hint;
  }
}

/** What was requested could not be done. `hint` says what to do about it. Exit code 1. */
export class FailureError extends Error {
  override readonly name = "FailureError";
  readonly hint: string;

  constructor(message: string, hint: string) {
    super(message);
    this.hint = hint;
  }
}
