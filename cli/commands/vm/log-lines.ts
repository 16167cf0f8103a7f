/** Cuts what a guest has written into lines. */

/** A guest that never ends its line does not make this process keep all of it: a longer line comes in pieces. */
const LINE_LENGTH_MAX = 8192;

export class LogLines {
  #decoder = new TextDecoder();
  #rest = "";

  /** The lines that are complete now, without their ends. */
  push(bytes: Uint8Array): string[] {
    const parts = (this.#rest + this.#decoder.decode(bytes, { stream: true })).split("\n");
    this.#rest = parts.pop() ?? "";
    const lines = parts.map(withoutReturn);
    for (; this.#rest.length > LINE_LENGTH_MAX; this.#rest = this.#rest.slice(LINE_LENGTH_MAX))
      lines.push(this.#rest.slice(0, LINE_LENGTH_MAX));
    return lines;
  }

  /** What there is of a line that nothing follows. */
  end(): string[] {
    const rest = this.#rest + this.#decoder.decode();
    this.#decoder = new TextDecoder();
    this.#rest = "";
    return rest === "" ? [] : [withoutReturn(rest)];
  }
}

/** Consoles end lines with carriage return and line feed. */
function withoutReturn(line: string): string {
  return line.replace(/\r+$/, "");
}
