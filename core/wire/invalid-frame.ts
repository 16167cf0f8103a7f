/**
 * Bytes are no valid frame. Decoding throws nothing else. The caller drops the frame.
 * Bytes damaged on the way look like this too, so one such frame proves nothing about its sender.
 */
export class InvalidFrame extends Error {
  override readonly name = "InvalidFrame";
  /**
   * Which field, as `concept.field` inside a nested value ("entry.data"), or "frame", "magic", "version", "checksum",
   * "type".
   */
  readonly field: string;
  /**
   * The limit that was exceeded, in the field's own unit (bytes, characters, elements, or the largest value); null
   * when the error is no exceeded limit.
   */
  readonly limit: number | null;

  constructor(field: string, problem: string, limit: number | null = null) {
    super(`${field}: ${problem}`);
    this.field = field;
    this.limit = limit;
  }
}
