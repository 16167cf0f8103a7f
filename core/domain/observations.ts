/** What a worker reports of one machine or one job. */
import { choice, type Infer, record } from "../schema/index.ts";
import { nameSchema } from "./identity.ts";
import { countSchema } from "./numbers.ts";
import { exitCodeSchema, jobOutputSchema } from "./task.ts";
import { reasonSchema } from "./vm-record.ts";

/** absent: not in a complete inventory. unhealthy: it runs, and its health checks say that it should not. */
export const SEEN_PHASES = ["building", "starting", "running", "stopped", "failed", "unhealthy", "absent"] as const;

export const machineObservationSchema = record({
  name: nameSchema,
  epoch: countSchema,
  phase: choice(SEEN_PHASES),
  reason: reasonSchema,
});
export type MachineObservation = Infer<typeof machineObservationSchema>;

/** absent: the worker knows of no such attempt, though it has been told to run it. */
export const jobObservationSchema = record({
  id: nameSchema,
  attempt: countSchema,
  phase: choice(["exited", "failed", "absent"]),
  exitCode: exitCodeSchema,
  output: jobOutputSchema,
});
/** What the worker has seen of one attempt. */
export type JobObservation = Infer<typeof jobObservationSchema>;
