/** What a worker reports of one machine or one job. */

/** absent: not in a complete inventory. unhealthy: it runs, and its health checks say that it should not. */
export const SEEN_PHASES = ["building", "starting", "running", "stopped", "failed", "unhealthy", "absent"] as const;

export interface MachineObservation {
  readonly name: string;
  readonly epoch: number;
  readonly phase: (typeof SEEN_PHASES)[number];
  readonly reason: string;
}

/** What the worker has seen of one attempt. */
export interface JobObservation {
  readonly id: string;
  readonly attempt: number;
  /** absent: the worker knows of no such attempt, though it has been told to run it. */
  readonly phase: "exited" | "failed" | "absent";
  readonly exitCode: number;
  readonly output: string;
}
