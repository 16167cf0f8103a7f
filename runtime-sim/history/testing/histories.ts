/** Histories made from lists of steps, so that fast-check can shrink them. */

import type { Model, Operation, OperationKind } from "../model.ts";
import type { RegisterInput, Scalar } from "../register.ts";

/** What one process does next: call, let its call take effect, or end its call, whichever is its turn. */
export interface ProcessStep<Input, Output> {
  readonly process: number;
  readonly input: Input;
  /** How the call ends. */
  readonly end: "ok" | "unknown" | "fail";
  /** False for a call that takes no effect and answers `lie`. */
  readonly honest: boolean;
  readonly lie: Output;
}

export type Happening<Input, Output> =
  | {
      readonly type: "begin";
      readonly id: number;
      readonly process: number;
      readonly input: Input;
      readonly time: number;
    }
  | { readonly type: "ok"; readonly id: number; readonly output: Output; readonly time: number }
  | { readonly type: "unknown" | "fail"; readonly id: number };

export interface PlayedHistory<Input, Output> {
  readonly operations: readonly Operation<Input, Output>[];
  readonly happenings: readonly Happening<Input, Output>[];
}

/**
 * Plays steps against one object, which answers through `observe`. Without lies and failures the history is
 * linearizable. Calls open at the end stay so. Everything has the key `key`; times are ten times the indexes.
 */
export function play<State, Input, Output>(
  model: Model<State, Input, Output>,
  observe: (state: State, input: Input) => Output,
  steps: readonly ProcessStep<Input, Output>[],
  key = "k",
): PlayedHistory<Input, Output> {
  interface OpenCall {
    readonly id: number;
    readonly step: ProcessStep<Input, Output>;
    /** What it will answer, once it has taken effect; "refused" if it could not. */
    answer: { readonly output: Output } | "refused" | null;
  }
  const operations: (Operation<Input, Output> | null)[] = [];
  const happenings: Happening<Input, Output>[] = [];
  const open = new Map<number, OpenCall>();
  let state = model.initial;
  let index = 0;

  for (const step of steps) {
    const call = open.get(step.process);
    const time = 10 * index;
    if (call === undefined) {
      const { process, input } = step;
      const id = operations.length;
      open.set(process, { id, step, answer: null });
      operations.push({ process, key, input, index, time, reply: null });
      happenings.push({ type: "begin", id, process, input, time });
      index += 1;
    } else if (call.answer === null) {
      const { input, honest, lie } = call.step;
      if (!honest) {
        call.answer = { output: lie };
        continue;
      }
      const output = observe(state, input);
      const next = model.step(state, input, { output });
      call.answer = next.ok ? { output } : "refused";
      if (next.ok) state = next.state;
    } else {
      open.delete(step.process);
      const operation = operations[call.id] ?? null;
      if (call.answer === "refused" || call.step.end === "fail") {
        operations[call.id] = null;
        happenings.push({ type: "fail", id: call.id });
      } else if (call.step.end === "unknown") {
        happenings.push({ type: "unknown", id: call.id });
      } else if (operation !== null) {
        const { output } = call.answer;
        operations[call.id] = { ...operation, reply: { output, index, time } };
        happenings.push({ type: "ok", id: call.id, output, time });
        index += 1;
      }
    }
  }
  return { operations: operations.filter((operation) => operation !== null), happenings };
}

/** What a register that holds `state` answers. */
export function observeRegister(state: Scalar, input: RegisterInput): Scalar {
  return input.f === "read" ? state : null;
}

/**
 * An object given by its table: in state s, operation o leads to `table[o][s]`, or is refused if that is null. It
 * answers nothing. Says truthfully which operations observe and which overwrite, so that all that the search may
 * assume is exercised.
 */
export function automaton(table: readonly (readonly (number | null)[])[]): Model<number, number, null> {
  const next = (operation: number, state: number): number | null => table[operation]?.[state] ?? null;
  const kindOf = (row: readonly (number | null)[]): OperationKind => {
    if (row.every((after, state) => after === null || after === state)) return "observes";
    return row.every((after) => after !== null && after === row[0]) ? "overwrites" : "other";
  };
  return {
    initial: 0,
    step(state, operation) {
      const after = next(operation, state);
      return after === null ? { ok: false } : { ok: true, state: after };
    },
    stateKey: (state) => state,
    kind: (operation) => kindOf(table[operation] ?? []),
    operationKey: (operation) => JSON.stringify(table[operation]),
    describe: (operation) => `operation ${operation}`,
    describeState: (state) => `state ${state}`,
  };
}

/** Pseudo-random numbers in [0, 1) from a seed (mulberry32): tests that want volume rather than shrinking. */
export function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export interface BusyRegister {
  readonly seed: number;
  /** Steps taken by all processes; a call takes three. */
  readonly steps: number;
  readonly processes: number;
  /** Values written are below this. */
  readonly values: number;
  /** Share of calls whose outcome stays unknown. */
  readonly unknown: number;
}

/** A linearizable history of a register on which every process always has a call open. */
export function busyRegister(
  model: Model<Scalar, RegisterInput, Scalar>,
  { seed, steps, processes, values, unknown }: BusyRegister,
): PlayedHistory<RegisterInput, Scalar> {
  const random = randomFrom(seed);
  const value = (): number => Math.floor(random() * values);
  const input = (): RegisterInput => {
    const choice = Math.floor(random() * 3);
    if (choice === 0) return { f: "read" };
    return choice === 1 ? { f: "write", value: value() } : { f: "cas", from: value(), to: value() };
  };
  const list = Array.from({ length: steps }, (): ProcessStep<RegisterInput, Scalar> => {
    const process = Math.floor(random() * processes);
    return { process, input: input(), end: random() < unknown ? "unknown" : "ok", honest: true, lie: null };
  });
  return play(model, observeRegister, list);
}
