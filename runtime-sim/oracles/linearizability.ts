/**
 * Linearizability of the client history (Herlihy & Wing 1990), each VM apart: every answer could have come from one VM
 * record that does one thing at a time, between call and answer. Typed refusals of the state machine are answers too;
 * an operation of unknown outcome may have happened at any time since, or never.
 *
 * Checks while the run goes on, whenever no operation is under way on a key, and at the end. Does not check: reads
 * that were asked to be stale; anything between keys (read-freshness does); a key once it was found violated or
 * undecided. Undecided counts as a violation: a checker that gave up has shown nothing.
 */
import type { Refusal } from "../../core/index.ts";
import { ContinuousChecker, type Finding, type Pending } from "../history/index.ts";
import type { ClientOperation } from "../workload/index.ts";
import type { OracleContext } from "./context.ts";
import type { Oracle } from "./oracle.ts";
import { VM_MODEL, type VmInput, type VmModelState, type VmOutput, vmCallOf, vmOutputOf } from "./vm-model.ts";

/** Settled operations that a message shows. */
const SHOWN_MAX = 12;

export function linearizability({ violate, nowMs }: OracleContext): Oracle {
  const name = "linearizability";
  const checker = new ContinuousChecker<VmModelState, VmInput, VmOutput>(VM_MODEL);
  const underWay = new Map<number, Pending>();

  /**
   * The latest settled operations of each key, so that a message can tell what led to it after the checker has
   * forgotten it.
   */
  const latest = new Map<string, ClientOperation[]>();

  function remember(key: string, operation: ClientOperation): void {
    const operations = latest.get(key);
    if (operations === undefined) {
      latest.set(key, [operation]);
      return;
    }
    operations.push(operation);
    if (operations.length >= 2 * SHOWN_MAX) operations.splice(0, SHOWN_MAX);
  }

  function report(finding: Finding<VmModelState, VmInput, VmOutput> | null): void {
    if (finding === null) return;
    violate(name, () => {
      const operations = latest.get(finding.key)?.slice(-SHOWN_MAX) ?? [];
      const lines = operations.map((operation) => `    ${describeOperation(operation)}`);
      return [finding.message, "  the latest on this key, in the order in which they were settled:", ...lines].join(
        "\n",
      );
    });
  }

  return {
    name,
    summary: "client histories are linearizable, each VM apart",
    checks: 0,
    invoked(operation) {
      const { asked, id, client, invokedAtMs } = operation;
      if (asked.kind === "read" && asked.consistency === "stale") return;
      const call = vmCallOf(asked);
      if (call !== null) underWay.set(id, checker.begin({ process: client, ...call, time: invokedAtMs }));
    },
    completed(operation) {
      const pending = underWay.get(operation.id);
      if (pending === undefined) return;
      underWay.delete(operation.id);
      this.checks += 1;
      remember(pending.key, operation);
      const outcome = outcomeOf(operation);
      if (outcome === "unknown") report(checker.unknown(pending));
      else if (outcome === "failed") report(checker.fail(pending));
      else report(checker.end(pending, outcome, operation.completedAtMs ?? nowMs()));
    },
    finished() {
      underWay.clear();
      for (const finding of checker.finish()) report(finding);
    },
  };
}

function describeOperation(operation: ClientOperation): string {
  const { id, client, asked, invokedAtMs, completedAtMs, answer } = operation;
  const input = vmCallOf(asked)?.input;
  if (input === undefined) return `operation ${id} of client ${client}`;
  const outcome = outcomeOf(operation);
  const output = typeof outcome === "string" ? null : { output: outcome };
  const what =
    outcome === "failed" ? `${VM_MODEL.describe(input, null)} (without effect)` : VM_MODEL.describe(input, output);
  const index = answer !== null && "index" in answer ? `, index ${answer.index}` : "";
  return (
    `operation ${id} of client ${client}: ${what}, called ${invokedAtMs}, settled ` +
    `${completedAtMs ?? "never"}${index}`
  );
}

/** What the client knows. "failed": certainly without effect, and says nothing of the VM. */
function outcomeOf({ outcome, answer }: ClientOperation): VmOutput | "unknown" | "failed" {
  if (outcome === "unknown" || outcome === "pending" || answer === null) return "unknown";
  if (answer.kind === "refused") return answer.refusal.kind === "outcomeUnknown" ? "unknown" : "failed";
  if (answer.kind !== "applied" && answer.kind !== "read") return "failed";
  const { result } = answer;
  // An earlier try of the same request may have happened.
  if (answer.kind === "applied" && !answer.result.ok && isForgotten(answer.result.refusal)) return "unknown";
  return vmOutputOf(result) ?? "failed";
}

function isForgotten({ kind }: Refusal): boolean {
  return kind === "sessionExpired" || kind === "sequenceTooOld";
}
