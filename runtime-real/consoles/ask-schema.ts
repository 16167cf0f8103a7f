/** Checks what another node asks for. */
import { z } from "zod";
import { CLUSTER_LIMITS } from "../../core/index.ts";
import { type ConsoleAsk, FRAME_KIND, jsonOf } from "../console-protocol/index.ts";

const askSchema = z.object({
  name: z.string().max(CLUSTER_LIMITS.labelLength),
  workerId: z.int().min(1).max(CLUSTER_LIMITS.nodeId),
  view: z.discriminatedUnion("kind", [
    z.object({ kind: z.literal("console") }),
    z.object({
      kind: z.literal("logs"),
      previous: z.boolean(),
      linesMax: z.int().min(0).nullable(),
      follow: z.boolean(),
    }),
  ]),
});

/** Null: the frame asks for no console. */
export function parseAsk(frame: Uint8Array): ConsoleAsk | null {
  return frame[0] === FRAME_KIND.ask ? (askSchema.safeParse(jsonOf(frame)).data ?? null) : null;
}
