/** What became of the requests of tenants and operators, counted by what was asked and how it ended. */
import type { ClientAnswer, Command } from "../../core/index.ts";

export class Requests {
  /** `createVm ok`, `createVm quotaExceeded` and the like, to how often. */
  readonly #counts = new Map<string, number>();

  /** `answer` null: the connection broke. */
  ended({ kind }: Command, answer: ClientAnswer | null): void {
    const name = `${kind} ${outcomeOf(answer)}`;
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
  }

  /** Sorted by name. */
  get counts(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#counts].sort(([left], [right]) => (left < right ? -1 : 1)));
  }
}

function outcomeOf(answer: ClientAnswer | null): string {
  if (answer === null) return "brokenOff";
  if (answer.kind === "refused") return answer.refusal.kind;
  if (answer.kind !== "applied" || answer.result.ok) return "ok";
  return answer.result.refusal.kind;
}
