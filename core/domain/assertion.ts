/**
 * Assertions that stay on in production: what must hold whatever clients, peers, hosts and disks do. A failed one is a
 * defect of this program. It stops the node, or the agent, before any effect of the step leaves it.
 */
export class AssertionFailed extends Error {
  constructor(message: string) {
    super(`assertion failed: ${message}`);
    this.name = "AssertionFailed";
  }
}

/** The values are put into words only when it fails. */
export function assert(
  condition: boolean,
  message: string,
  first?: string | number | null,
  second?: string | number | null,
): asserts condition {
  if (!condition) throw new AssertionFailed(withValues(message, first, second));
}

function withValues(message: string, ...given: readonly (string | number | null | undefined)[]): string {
  const values = given.filter((value) => value !== undefined);
  return values.length === 0 ? message : `${message} (${values.join(", ")})`;
}
