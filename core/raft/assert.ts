/** Assertions that stay on in production. A failed one halts the node before any effect of the step leaves it. */
import type { Evidence } from "./evidence.ts";

/**
 * Thrown inside a step and caught at its edge: the node halts, keeps `evidence`, and none of the step's effects are
 * carried out.
 */
export class Halt extends Error {
  readonly evidence: Evidence | null;

  constructor(message: string, evidence: Evidence | null = null) {
    super(message);
    this.name = "Halt";
    this.evidence = evidence;
  }
}

/** What must hold whatever peers, clients and disks do. The text is made only when it does not hold. */
export function assert(condition: boolean, message: string, first?: number, second?: number): asserts condition {
  if (!condition) throw new Halt(`assertion failed: ${withValues(message, first, second)}`);
}

function withValues(message: string, ...given: readonly (number | undefined)[]): string {
  const values = given.filter((value) => value !== undefined);
  return values.length === 0 ? message : `${message} (${values.join(", ")})`;
}

/** For the default branch of a switch over a union: the compiler proves that it is never reached. */
export function unreachable(value: never): never {
  throw new Halt(`assertion failed: unreachable case ${String(value)}`);
}
