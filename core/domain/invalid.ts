/**
 * What is wrong with a value, as errors with fields. Messages name the field and the rule, never the value and never a library's own words:
 * they end up in replicated results, which must be equal on every replica.
 */

/** A field breaks its rule. Internal: the doors turn it into `InvalidCommand` or `InvalidSnapshot`. */
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

/** What a reader of a part has thrown, with the path to that part in front: so that a path is put together only for what is refused. */
export function within(path: string, error: unknown): unknown {
  return error instanceof InvalidField ? new InvalidField(path + error.field, error.limit, error.message) : error;
}

/** A command request, as bytes or as a value, that no replica may apply. Mend the named field and send it again. */
export class InvalidCommand extends InvalidField {
  override readonly name: string = "InvalidCommand";
}

/** Snapshot chunks that are damaged, forged, or of a format unknown to this version. Nothing of them may be used. */
export class InvalidSnapshot extends InvalidField {
  override readonly name: string = "InvalidSnapshot";
}
