/** A call of a client, as clients make it and oracles judge it. */
import type { ClientAnswer, ClusterQuery, Command, ReadConsistency } from "../../core/index.ts";

/** Where the spec's metadata carries what is written: a positive number in decimal digits, unique in the run. */
export const VALUE_KEY = "value";

/** What is asked of the cluster: to change something, or to tell something. */
export type Asked =
  | { readonly kind: "write"; readonly command: Command }
  | { readonly kind: "read"; readonly query: ClusterQuery; readonly consistency: ReadConsistency };

/** One call of a client, mutable until it is completed. Completed once, also when its outcome is unknown. */
export interface ClientOperation {
  readonly id: number;
  /** The process that calls. */
  readonly client: number;
  readonly asked: Asked;
  /** As answered to `openSession`; 0 for a request without a session. */
  readonly session: number;
  readonly sequence: number;
  readonly invokedAtMs: number;
  /** Number of the event at which it is called, as in a trace. */
  readonly invokedEvent: number;
  completedAtMs: number | null;
  completedEvent: number | null;
  /** ok: applied or read. refused: certainly without effect, whether the state machine or the node refused. */
  outcome: "pending" | "ok" | "refused" | "unknown";
  /** The definite answer; null while there is none. */
  answer: ClientAnswer | null;
}

/** Of a spec that a client wrote; 0 where none is carried. */
export function writtenValue({ metadata }: { readonly metadata: Readonly<Record<string, string>> }): number {
  return Number(metadata[VALUE_KEY] ?? 0);
}

/** A call for people, such as `createVm vm-3 = 17`. */
export function askedText(asked: Asked): string {
  if (asked.kind === "read") {
    const { query, consistency } = asked;
    return `${query.kind}${subjectOf(query)}${consistency === "linearizable" ? "" : ` (${consistency})`}`;
  }
  const { command } = asked;
  const value = "spec" in command && "metadata" in command.spec ? writtenValue(command.spec) : 0;
  return `${command.kind}${subjectOf(command)}${value === 0 ? "" : ` = ${value}`}`;
}

/** The name or id of what it is about, if there is one. */
function subjectOf(about: Command | ClusterQuery): string {
  for (const field of ["name", "id", "tokenId", "tenant", "workerId", "nodeId", "clientToken"] as const) {
    const subject: unknown = Reflect.get(about, field);
    if (typeof subject === "string" || typeof subject === "number") return ` ${subject}`;
  }
  return "";
}
