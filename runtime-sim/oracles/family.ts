/** A kind of records that clients share, and what each call and each answer means for the one record that it names. */
import type { ApplyResult, ClusterQueryResult } from "../../core/index.ts";
import type { Model } from "../history/index.ts";
import type { Asked } from "../workload/index.ts";

export interface Family<State, Input, Output> {
  readonly model: Model<State, Input, Output>;
  /** Null: it is about no such record, or about no single one. */
  callOf(asked: Asked): { readonly key: string; readonly input: Input } | null;
  /** Null: it says nothing of the record, and has changed nothing of it. */
  outputOf(result: ApplyResult | ClusterQueryResult): Output | null;
}
