/** Integers with a meaning that many definitions share. */
import { InvalidField, integer } from "../schema/index.ts";
import { CLUSTER_LIMITS } from "./limits.ts";

export const countSchema = integer(0);
export const generationSchema = integer(1);
export const logIndexSchema = integer(0).doc("Index in the replicated log");
export const instantMsSchema = integer(0, CLUSTER_LIMITS.wallMs).doc("Milliseconds since 1970");

/** @throws InvalidField, as a bound of the field itself would. */
export function demandAtMost(maximum: number, value: number, field: string): void {
  if (value > maximum) throw new InvalidField(field, maximum, `must be at most ${maximum}`);
}

/** @throws InvalidField, as a bound of the field itself would. */
export function demandAtLeast(minimum: number, value: number, field: string): void {
  if (value < minimum) throw new InvalidField(field, minimum, `must be at least ${minimum}`);
}
