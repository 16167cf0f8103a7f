/**
 * One order of one key's operations, checked as it grows: if the model allows every answer in it, and nothing stands
 * before what had returned before it was called, then the history is linearizable, and no search is needed. Whoever
 * knows in which order things happened, such as by indexes in a log, has such an order at hand.
 *
 * It does not show that a history is not linearizable: where this order fails another one may do.
 */
import type { Answer, Model } from "./model.ts";

export interface PlacedOperation<Input, Output> {
  readonly input: Input;
  /** Null: nobody was told; it takes effect here, or has none. */
  readonly answer: Answer<Output>;
  /** Where it takes effect: above, or as high as, all that were placed before. */
  readonly position: number;
  /** The highest position of what had returned when this was called. */
  readonly floor: number;
  /** Whether others may have the same position. */
  readonly isRead: boolean;
}

export class Witness<State, Input, Output> {
  readonly #model: Model<State, Input, Output>;
  #state: State;

  constructor(model: Model<State, Input, Output>) {
    this.#model = model;
    this.#state = model.initial;
  }

  /** False: this order is none. */
  place({ input, answer, position, floor, isRead }: PlacedOperation<Input, Output>): boolean {
    if (position < floor || (!isRead && position === floor)) return false;
    const step = this.#model.step(this.#state, input, answer);
    if (step.ok) this.#state = step.state;
    return step.ok || answer === null;
  }
}
