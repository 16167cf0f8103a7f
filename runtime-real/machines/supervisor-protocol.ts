/**
 * The messages between a node and the supervisor of its machines, one JSON object a line over a Unix socket. The
 * supervisor may be of an older version than the node: a message is never changed, new ones are added.
 */
import { z } from "zod";

/** Within the directory of all machines. */
export const SUPERVISOR_SOCKET = "supervisor.sock";

/** From SIGTERM to SIGKILL, whoever sends them. */
export const TERMINATE_MS = 2000;

const run = { name: z.string(), epoch: z.int() };

export const orderSchema = z.discriminatedUnion("kind", [
  /** By CLOCK_MONOTONIC, which all processes of a host share. */
  z.object({ kind: z.literal("fenceAt"), atMs: z.number() }),
  /** Starts what the directory of that run says. */
  z.object({ kind: z.literal("start"), ...run }),
  z.object({ kind: z.literal("signal"), ...run, signal: z.enum(["SIGTERM", "SIGKILL"]) }),
  /** To be typed into the console. */
  z.object({ kind: z.literal("type"), ...run, base64: z.base64() }),
]);
export type Order = z.infer<typeof orderSchema>;

/** All machines whose process lives: told on connecting, and whenever it changes. The rest is in their directories. */
export const newsSchema = z.object({
  living: z.array(z.object({ ...run, pid: z.int() })),
  /** Somebody has started the unit of that VM by hand: told once. */
  startedByHand: z.string().optional(),
});
export type News = z.infer<typeof newsSchema>;
