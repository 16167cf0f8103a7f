/**
 * What the clients of a run asked and were told, in the order in which it happened, to be judged by other checkers. It
 * is kept until the run has ended: how a call is shown depends on what came of it.
 *
 * Not in it: what tenants and operators of a fleet ask.
 */
import { knownOf, VM_FAMILY } from "../oracles/index.ts";
import type { ClientOperation } from "../workload/index.ts";
import { registerLines } from "./register-history.ts";

/**
 * jepsen: reads, writes and compare-and-sets of registers, see `registerLines`. own: every call and every answer, and
 * of those about one VM what they mean for it, with its generations.
 */
export const HISTORY_FORMS = ["jepsen", "own"] as const;
export type HistoryForm = (typeof HISTORY_FORMS)[number];

/** A call, or its end. */
export interface HistoryEvent {
  readonly operation: ClientOperation;
  readonly isEnd: boolean;
}

export class ClientHistory {
  readonly #events: HistoryEvent[] = [];

  invoked(operation: ClientOperation): void {
    this.#events.push({ operation, isEnd: false });
  }

  completed(operation: ClientOperation): void {
    this.#events.push({ operation, isEnd: true });
  }

  /** One object a line. */
  lines(form: HistoryForm): Iterable<object> {
    return form === "jepsen" ? registerLines(this.#events) : this.#events.map(ownLine);
  }
}

function ownLine({ operation, isEnd }: HistoryEvent): object {
  const { id, client, asked, session, sequence, answer } = operation;
  const call = VM_FAMILY.callOf(asked);
  const vm = call === null ? {} : { vm: call.key };
  if (!isEnd) {
    const { invokedEvent: event, invokedAtMs: atMs } = operation;
    const input = call === null ? {} : { input: call.input };
    return { type: "invoke", event, atMs, operation: id, client, session, sequence, ...vm, ...input, asked };
  }
  const { completedEvent: event, completedAtMs: atMs, outcome } = operation;
  const known = call === null ? "failed" : knownOf(VM_FAMILY, operation);
  const output = typeof known === "string" ? {} : { output: known.output };
  return { type: outcome, event, atMs, operation: id, client, ...vm, ...output, answer };
}
