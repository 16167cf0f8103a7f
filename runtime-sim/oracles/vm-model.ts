/** One VM record as clients see it: the sequential object with which their histories are compared. */
import type { ApplyResult, ClusterQueryResult } from "../../core/index.ts";
import type { Answer, Model, OperationKind, Step } from "../history/index.ts";
import { type Asked, writtenValue } from "../workload/index.ts";
import type { Family } from "./family.ts";

/** `value`: 0 for a specification that carries none. */
export type VmInput =
  | { readonly kind: "create"; readonly value: number }
  | { readonly kind: "update"; readonly value: number; readonly expectedGeneration: number | null }
  /** With null it is deleted whatever its generation. */
  | { readonly kind: "delete"; readonly expectedGeneration: number | null }
  | { readonly kind: "get" };

export type VmOutput =
  | { readonly kind: "written"; readonly generation: number }
  /** `generation` is the one that was deleted. */
  | { readonly kind: "deleted"; readonly generation: number }
  | { readonly kind: "found"; readonly value: number; readonly generation: number }
  | { readonly kind: "exists" }
  | { readonly kind: "absent" }
  | { readonly kind: "mismatch"; readonly actual: number };

/** Generation 0: there is none. */
export interface VmModelState {
  readonly value: number;
  readonly generation: number;
}

const GENERATIONS_MAX = 2 ** 22;
const VALUES_MAX = 2 ** 31;

const ABSENT: VmModelState = { value: 0, generation: 0 };
const IMPOSSIBLE: Step<VmModelState> = { ok: false };

export const VM_MODEL: Model<VmModelState, VmInput, VmOutput> = {
  initial: ABSENT,
  step(state, input, answer) {
    const effect = effectOn(state, input);
    if (answer === null) return effect.after === state ? IMPOSSIBLE : { ok: true, state: effect.after };
    return isSameOutput(effect.output, answer.output) ? { ok: true, state: effect.after } : IMPOSSIBLE;
  },
  stateKey: keyOf,
  kind: kindOf,
  operationKey(input, answer) {
    const output = answer === null ? null : answer.output;
    switch (input.kind) {
      case "get":
        return output?.kind === "found" ? foundKey(output) : `get ${output?.kind}`;
      // Every write that carries a value has one of its own: no two of them are alike.
      case "create":
        return input.value === 0 ? `create ${output === null ? "?" : outputKey(output)}` : input.value;
      case "update":
        if (input.value !== 0) return input.value;
        return `update ${input.expectedGeneration} ${output === null ? "?" : outputKey(output)}`;
      case "delete":
        return `delete ${input.expectedGeneration} ${output === null ? "?" : outputKey(output)}`;
    }
  },
  describe(input, answer) {
    return `${describeInput(input)} -> ${answer === null ? "?" : describeOutput(answer.output)}`;
  },
  describeState: ({ value, generation }) => (generation === 0 ? "no VM" : `value ${value} in generation ${generation}`),
};

export const VM_FAMILY: Family<VmModelState, VmInput, VmOutput> = {
  model: VM_MODEL,
  callOf: vmCallOf,
  outputOf: vmOutputOf,
};

/** Which VM is asked for what; null: it is about no VM, or says nothing of one. */
function vmCallOf(asked: Asked): { readonly key: string; readonly input: VmInput } | null {
  if (asked.kind === "read")
    return asked.query.kind === "getVm" ? { key: asked.query.name, input: { kind: "get" } } : null;
  const { command } = asked;
  switch (command.kind) {
    case "createVm":
      return { key: command.name, input: { kind: "create", value: writtenValue(command.spec) } };
    case "updateVm": {
      const { name, spec, expectedGeneration } = command;
      return { key: name, input: { kind: "update", value: writtenValue(spec), expectedGeneration } };
    }
    case "deleteVm":
      return { key: command.name, input: { kind: "delete", expectedGeneration: command.expectedGeneration } };
    default:
      return null;
  }
}

/** What a result says of the VM; null: nothing, and it had no effect. */
function vmOutputOf(result: ApplyResult | ClusterQueryResult): VmOutput | null {
  if ("refusal" in result && "ok" in result) {
    const { refusal } = result;
    switch (refusal.kind) {
      case "vmExists":
        return { kind: "exists" };
      case "vmNotFound":
        return { kind: "absent" };
      case "generationMismatch":
        return { kind: "mismatch", actual: refusal.actual };
      default:
        return null;
    }
  }
  switch (result.kind) {
    case "vmCreated":
    case "vmUpdated":
      return { kind: "written", generation: result.generation };
    case "vmDeleted":
      return { kind: "deleted", generation: result.generation };
    case "vm": {
      const { vm } = result;
      return vm === null
        ? { kind: "absent" }
        : { kind: "found", value: writtenValue(vm.spec), generation: vm.generation };
    }
    default:
      return null;
  }
}

/** What `input` does to a VM in `state`, and answers. An answer that changes nothing leaves the very same state. */
function effectOn(state: VmModelState, input: VmInput): { readonly output: VmOutput; readonly after: VmModelState } {
  const { value, generation } = state;
  if (input.kind === "create") {
    if (generation !== 0) return { output: { kind: "exists" }, after: state };
    return { output: { kind: "written", generation: 1 }, after: { value: input.value, generation: 1 } };
  }
  if (generation === 0) return { output: { kind: "absent" }, after: state };
  if (input.kind === "get") return { output: { kind: "found", value, generation }, after: state };
  if (input.expectedGeneration !== null && input.expectedGeneration !== generation) {
    return { output: { kind: "mismatch", actual: generation }, after: state };
  }
  if (input.kind === "delete") return { output: { kind: "deleted", generation }, after: ABSENT };
  const next = generation + 1;
  return { output: { kind: "written", generation: next }, after: { value: input.value, generation: next } };
}

function kindOf(input: VmInput, answer: Answer<VmOutput>): OperationKind {
  if (input.kind === "get") return "observes";
  if (answer === null) return "other";
  return answer.output.kind === "written" || answer.output.kind === "deleted" ? "other" : "observes";
}

function isSameOutput(left: VmOutput, right: VmOutput): boolean {
  switch (left.kind) {
    case "exists":
    case "absent":
      return right.kind === left.kind;
    case "written":
    case "deleted":
      return right.kind === left.kind && right.generation === left.generation;
    case "found":
      return right.kind === "found" && right.value === left.value && right.generation === left.generation;
    case "mismatch":
      return right.kind === "mismatch" && right.actual === left.actual;
  }
}

/** Below all values, which are the keys of writes. */
function foundKey(state: VmModelState): number | string {
  const key = keyOf(state);
  return typeof key === "number" ? -1 - key : `get ${key}`;
}

function outputKey(output: VmOutput): string {
  switch (output.kind) {
    case "exists":
    case "absent":
      return output.kind;
    case "written":
    case "deleted":
      return `${output.kind} ${output.generation}`;
    case "found":
      return `found ${keyOf(output)}`;
    case "mismatch":
      return `mismatch ${output.actual}`;
  }
}

/** Numbers are the cheapest keys, and serve as long as both together stay exact in a double. */
function keyOf({ value, generation }: VmModelState): number | string {
  if (value >= VALUES_MAX || generation >= GENERATIONS_MAX) return `${value}/${generation}`;
  return value * GENERATIONS_MAX + generation;
}

function describeInput(input: VmInput): string {
  switch (input.kind) {
    case "get":
      return "get";
    case "create":
      return `create ${input.value}`;
    case "update":
      return `update ${input.value} if generation is ${input.expectedGeneration ?? "any"}`;
    case "delete":
      return input.expectedGeneration === null ? "delete" : `delete if generation is ${input.expectedGeneration}`;
  }
}

function describeOutput(output: VmOutput): string {
  switch (output.kind) {
    case "written":
      return `generation ${output.generation}`;
    case "deleted":
      return `deleted generation ${output.generation}`;
    case "found":
      return `value ${output.value} in generation ${output.generation}`;
    case "exists":
      return "there is one already";
    case "absent":
      return "there is none";
    case "mismatch":
      return `generation is ${output.actual}`;
  }
}
