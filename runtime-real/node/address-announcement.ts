/** Tells the cluster where members can be reached, this one first, until replicated state says the same. */
import type { Logger } from "pino";
import type { AddressBook, ClientAnswer, ClientRequest } from "../../core/index.ts";

export interface AddressAnnouncementParts {
  readonly book: Pick<AddressBook, "announcement" | "answered">;
  request(request: ClientRequest): Promise<ClientAnswer>;
  readonly log: Pick<Logger, "error">;
}

export class AddressAnnouncement {
  readonly #parts: AddressAnnouncementParts;
  #isUnderWay = false;

  constructor(parts: AddressAnnouncementParts) {
    this.#parts = parts;
  }

  /** Proposes what the cluster does not know yet, one announcement at a time. */
  review(): void {
    const { book, log } = this.#parts;
    const command = this.#isUnderWay ? null : book.announcement();
    if (command === null) return;
    this.#isUnderWay = true;
    this.#parts.request({ kind: "propose", request: { session: null, command } }).then(
      (answer) => {
        this.#isUnderWay = false;
        book.answered(command, answer);
        if (answer.kind === "applied" && !answer.result.ok)
          log.error({ command, refusal: answer.result.refusal }, "the cluster refuses a member's addresses");
      },
      (error: unknown) => log.error({ err: error }, "announcing addresses failed"),
    );
  }
}
