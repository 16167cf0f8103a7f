/**
 * The messages between a node and the keeper of its jobs. Both run the same version of this program, and nobody else
 * has access to the channel.
 */

export interface JobOrder {
  readonly id: string;
  readonly attempt: number;
  readonly command: string;
  readonly args: readonly string[];
  readonly timeoutMs: number;
}

export type Order =
  /** By CLOCK_MONOTONIC. */
  | { readonly kind: "fenceAt"; readonly atMs: number }
  /** `outputLength`: how much of the end of its output is kept, in UTF-16 code units. */
  | ({ readonly kind: "run"; readonly outputLength: number } & JobOrder)
  | { readonly kind: "end"; readonly id: string; readonly attempt: number };

/** An attempt is over, and nothing of it runs any more. */
export interface Ended {
  readonly id: string;
  readonly attempt: number;
  readonly how: /** By itself. If a signal has ended it, `exitCode` is 128 and the number of the signal. */
    | { readonly kind: "exited"; readonly exitCode: number }
    | { readonly kind: "notStarted"; readonly reason: string }
    | { readonly kind: "timedOut" | "cancelled" | "fenced" };
  /** The end of what it printed. */
  readonly output: string;
}
