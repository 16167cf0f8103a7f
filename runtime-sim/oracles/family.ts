/** A kind of records that clients share, and what each call and each answer means for the one record that it names. */
import type { ApplyResult, ClusterQueryResult } from "../../core/index.ts";
import type { Model } from "../history/index.ts";
import type { Asked, ClientOperation } from "../workload/index.ts";

export interface Family<State, Input, Output> {
  readonly model: Model<State, Input, Output>;
  /** Null: it is about no such record, or about no single one. */
  callOf(asked: Asked): { readonly key: string; readonly input: Input } | null;
  /** Null: it says nothing of the record, and has changed nothing of it. */
  outputOf(result: ApplyResult | ClusterQueryResult): Output | null;
}

/** What a client knows in the end. failed: certainly without effect, and says nothing of the record. */
export type Known<Output> = { readonly output: Output } | "unknown" | "failed";

export function knownOf<Output>(
  { outputOf }: { readonly outputOf: (result: ApplyResult | ClusterQueryResult) => Output | null },
  { outcome, answer }: ClientOperation,
): Known<Output> {
  if (outcome === "unknown" || outcome === "pending" || answer === null) return "unknown";
  if (answer.kind === "refused") return answer.refusal.kind === "outcomeUnknown" ? "unknown" : "failed";
  if (answer.kind !== "applied" && answer.kind !== "read") return "failed";
  const output = outputOf(answer.result);
  return output === null ? "failed" : { output };
}
