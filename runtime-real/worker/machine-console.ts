/** The contract of a machine's serial console: what it has written, and what is typed to it. */

/** A piece of what a guest has written; `lost`: something in between is not kept any more. */
export type ConsolePiece = { readonly kind: "output"; readonly bytes: Uint8Array } | { readonly kind: "lost" };

/** One reader of a console. However slow it is, the guest does not wait for it. */
export interface ConsoleReader {
  /** So much of what is kept it had before it when it began. */
  readonly keptBytes: number;
  /** The next piece, of limited size; null: there is none yet. */
  next(): ConsolePiece | null;
  close(): void;
}

/** The console of one run of a machine. */
export interface MachineConsole {
  readonly epoch: number;
  /** @param linesMax the reader begins with so many of the last lines; null: with all that is kept. */
  read(linesMax: number | null): ConsoleReader;
  /** Why the run is over; null: it is not. When it is over, nothing more is written. */
  end(): string | null;
  /** Types into it. What a guest does not take in time is lost, as on any serial line. */
  type(bytes: Uint8Array): void;
}

/** The last run of a machine on this host, or the one before. */
export type ConsoleRun = "last" | "previous";
