/** The end of a text that may be long. */
export class Tail {
  readonly #length: number;
  #text = "";

  /** @param length how much is kept, in UTF-16 code units. */
  constructor(length: number) {
    this.#length = length;
  }

  add(text: string): void {
    this.#text += text;
    if (this.#text.length > 4 * this.#length) this.#text = this.#text.slice(-this.#length);
  }

  get text(): string {
    return this.#text.slice(-this.#length);
  }
}
