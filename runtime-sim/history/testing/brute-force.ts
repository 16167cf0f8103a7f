/** The slow, obvious version of the checker. */
import type { Model, Operation } from "../model.ts";

/** Tries every order of one key's operations, listed in any order. Some ten operations are its limit. */
export function isLinearizableByBruteForce<State, Input, Output>(
  model: Model<State, Input, Output>,
  operations: readonly Operation<Input, Output>[],
  state: State = model.initial,
): boolean {
  if (operations.every(({ reply }) => reply === null)) return true;
  return operations.some((first) => {
    const others = operations.filter((other) => other !== first);
    if (others.some((other) => other.reply !== null && other.reply.index < first.index)) return false;
    const step = model.step(state, first.input, first.reply);
    return step.ok && isLinearizableByBruteForce(model, others, step.state);
  });
}
