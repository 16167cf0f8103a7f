/** The states that a search has met, by number, and the steps between them. */
import { item } from "./configurations.ts";
import type { Model, Operation } from "./model.ts";

/** State id of a step that the model refuses. */
export const REFUSED = -1;

export class States<State, Input, Output> {
  private readonly model: Model<State, Input, Output>;
  private readonly states: { readonly state: State }[] = [];
  private readonly ids = new Map<string | number, number>();

  constructor(model: Model<State, Input, Output>) {
    this.model = model;
  }

  clear(): void {
    this.states.length = 0;
    this.ids.clear();
  }

  get(id: number): State {
    return item(this.states, id).state;
  }

  idOf(state: State): number {
    const key = this.model.stateKey(state);
    const known = this.ids.get(key);
    if (known !== undefined) return known;
    const id = this.states.length;
    this.states.push({ state });
    this.ids.set(key, id);
    return id;
  }

  step(id: number, { input, reply }: Operation<Input, Output>): number {
    const step = this.model.step(this.get(id), input, reply);
    return step.ok ? this.idOf(step.state) : REFUSED;
  }

  allows(id: number, { input, reply }: Operation<Input, Output>): boolean {
    return this.model.step(this.get(id), input, reply).ok;
  }
}
