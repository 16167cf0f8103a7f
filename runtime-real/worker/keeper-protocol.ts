/** What a node and the keeper of its jobs say to each other. Both are of one program, and nobody else has the channel. */

export interface JobOrder {
  readonly id: string;
  readonly attempt: number;
  readonly command: string;
  readonly args: readonly string[];
  readonly timeoutMs: number;
}

export type Order =
  /** Of CLOCK_MONOTONIC. */
  | { readonly kind: "fenceAt"; readonly atMs: number }
  /** `outputLength`: UTF-16 code units of the end of its output that are kept. */
  | ({ readonly kind: "run"; readonly outputLength: number } & JobOrder)
  | { readonly kind: "end"; readonly id: string; readonly attempt: number };

/** An attempt is over, and nothing of it runs any more. */
export interface Ended {
  readonly id: string;
  readonly attempt: number;
  readonly how: /** By itself. Of one that a signal has ended: 128 and the number of that signal. */
    | { readonly kind: "exited"; readonly exitCode: number }
    | { readonly kind: "notStarted"; readonly reason: string }
    | { readonly kind: "timedOut" | "cancelled" | "fenced" };
  /** The end of what it printed. */
  readonly output: string;
}
