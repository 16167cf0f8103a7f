/** A file is no recording that can be used; `hint` says what to do. */
export class RecordingError extends Error {
  override readonly name = "RecordingError";
  readonly hint: string;

  constructor(message: string, hint: string) {
    super(message);
    this.hint = hint;
  }
}
