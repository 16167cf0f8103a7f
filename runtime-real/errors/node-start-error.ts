/** A node cannot start, or a data directory cannot join. `hint` says what to do. */
export class NodeStartError extends Error {
  override readonly name = "NodeStartError";
  readonly hint: string;

  constructor(message: string, hint: string) {
    super(message);
    this.hint = hint;
  }
}
