/**
 * What tenants, operators and askers of a fleet ask, and what becomes of it: counted by what was asked and how it
 * ended, and told to whoever judges the answers.
 */
import type { ClientAnswer, ClusterQuery, Command, ReadConsistency } from "../../core/index.ts";

/** One request, sent once. */
export interface FleetCall {
  readonly by: "tenants" | "removals" | "askers";
  readonly asked:
    | { readonly kind: "write"; readonly command: Command }
    | { readonly kind: "read"; readonly query: ClusterQuery; readonly consistency: ReadConsistency };
}

export interface CallListener {
  /** Right before it is sent. */
  called(call: FleetCall): void;
  answered(call: FleetCall, answer: ClientAnswer): void;
}

export class Requests {
  /** `createVm ok`, `createVm quotaExceeded` and the like, to how often. */
  readonly #counts = new Map<string, number>();
  readonly #listener: CallListener | null;

  /** `listener`: null: nobody judges. */
  constructor(listener: CallListener | null) {
    this.#listener = listener;
  }

  begun(call: FleetCall): void {
    this.#listener?.called(call);
  }

  /** `answer` null: the connection broke. */
  ended(call: FleetCall, answer: ClientAnswer | null): void {
    const { asked } = call;
    const { kind } = asked.kind === "read" ? asked.query : asked.command;
    const name = `${kind} ${outcomeOf(answer)}`;
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
    if (answer !== null) this.#listener?.answered(call, answer);
  }

  /** Sorted by name. */
  get counts(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#counts].sort(([left], [right]) => (left < right ? -1 : 1)));
  }
}

function outcomeOf(answer: ClientAnswer | null): string {
  if (answer === null) return "brokenOff";
  if (answer.kind === "refused") return answer.refusal.kind;
  if (answer.kind !== "applied" || answer.result.ok) return "ok";
  return answer.result.refusal.kind;
}
