/** How a server tells a worker that is no member of routes to guests: in messages of bounded length, as JSON. */
import { z } from "zod";
import { CLUSTER_LIMITS, parseIp, schema } from "../../core/index.ts";
import type { RouteNews } from "./replicated-routes.ts";

const CHANGES_MAX = 2000;

/** Written as the core writes it, and so nothing else than an address. */
const address = z.string().refine((text) => {
  try {
    parseIp(text, "");
    return true;
  } catch (error) {
    if (error instanceof schema.InvalidField) return false;
    throw error;
  }
});
const workerId = z.int().min(1).max(CLUSTER_LIMITS.nodeId);

const newsSchema = z.strictObject({
  /** The first of what is all that there is. */
  isWhole: z.boolean(),
  /** More of the same news follows. */
  hasMore: z.boolean(),
  changes: z
    .array(
      z.discriminatedUnion("kind", [
        z.strictObject({ kind: z.literal("held"), address, workerId: workerId.nullable() }),
        z.strictObject({ kind: z.literal("via"), workerId, via: z.array(address).max(2).readonly().nullable() }),
      ]),
    )
    .max(CHANGES_MAX)
    .readonly(),
});
type NewsPart = z.output<typeof newsSchema>;

/** None where there is no news. */
export function encodeNews({ isWhole, changes }: RouteNews): readonly Uint8Array[] {
  const parts: Uint8Array[] = [];
  for (let at = 0; at < changes.length || (isWhole && at === 0); at += CHANGES_MAX) {
    const part: NewsPart = {
      isWhole: isWhole && at === 0,
      hasMore: at + CHANGES_MAX < changes.length,
      changes: changes.slice(at, at + CHANGES_MAX),
    };
    parts.push(new TextEncoder().encode(JSON.stringify(part)));
  }
  return parts;
}

/** Null: the bytes are no news. */
export function decodeNews(bytes: Uint8Array): NewsPart | null {
  try {
    return newsSchema.safeParse(JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes))).data ?? null;
  } catch {
    return null;
  }
}
