/**
 * What is wrong with a value, as an error with fields. Messages name the rule, never the value and never a library's
 * own words: they end up in replicated results, which must be equal on every replica.
 */

/** A field breaks its rule. */
export class InvalidField extends Error {
  override readonly name: string = "InvalidField";
  /** Path of the offending field, such as `command.spec.vcpus`. */
  readonly field: string;
  /** The bound that was broken, where it is a number. */
  readonly limit: number | null;

  constructor(field: string, limit: number | null, message: string) {
    super(message);
    this.field = field;
    this.limit = limit;
  }
}

/**
 * What the reader of a part threw, with the path to that part in front. Paths are put together only for what is
 * refused.
 */
export function within(path: string, error: unknown): unknown {
  return error instanceof InvalidField ? new InvalidField(path + error.field, error.limit, error.message) : error;
}
