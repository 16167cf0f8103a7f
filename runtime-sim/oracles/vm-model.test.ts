import { expect, test } from "vitest";
import { type ApplyResult, applyEntries, emptyState, encodeRequest, getVm, stampRequest } from "../../core/index.ts";
import { createVm, deleteVm, sessionless, updateVm } from "./testing/index.ts";
import { VM_MODEL, type VmInput, type VmOutput } from "./vm-model.ts";

/** Every command, and every step that it may make: the model against the state machine itself. */
const INPUTS: readonly VmInput[] = [
  { kind: "create", value: 1 },
  { kind: "create", value: 2 },
  { kind: "update", value: 3, expectedGeneration: 1 },
  { kind: "update", value: 4, expectedGeneration: 2 },
  { kind: "delete", expectedGeneration: null },
  { kind: "delete", expectedGeneration: 2 },
];

test("the model does what the state machine does, in every history of four commands", () => {
  const sequences = (length: number): readonly (readonly VmInput[])[] => {
    if (length === 0) return [[]];
    return sequences(length - 1).flatMap((before) => INPUTS.map((input) => [...before, input]));
  };
  for (const sequence of sequences(4)) {
    let machine = emptyState();
    let model = VM_MODEL.initial;
    sequence.forEach((input, at) => {
      const outcome = applyEntries(machine, [{ index: at + 1, term: 1, data: dataOf(input) }]);
      machine = outcome.state;
      const vm = getVm(machine, "vm");
      const output = outputOf(outcome.results[0]);
      const step = VM_MODEL.step(model, input, { output });
      if (!step.ok) throw new Error(`${VM_MODEL.describe(input, { output })} in ${VM_MODEL.describeState(model)}`);
      const wrong: VmOutput = output.kind === "absent" ? { kind: "exists" } : { kind: "absent" };
      expect(VM_MODEL.step(model, input, { output: wrong }).ok).toBe(false);
      // With an unknown answer it steps just where it changes something.
      expect(VM_MODEL.step(model, input, null).ok).toBe(VM_MODEL.stateKey(step.state) !== VM_MODEL.stateKey(model));
      model = step.state;
      expect(model.generation).toBe(vm?.generation ?? 0);
      expect(model.value).toBe(Number(vm?.spec.metadata["value"] ?? 0));
    });
  }
});

test("writes without a value are alike only where they ask and were told the same", () => {
  const keys = [
    VM_MODEL.operationKey?.({ kind: "create", value: 0 }, null),
    VM_MODEL.operationKey?.({ kind: "create", value: 0 }, { output: { kind: "exists" } }),
    VM_MODEL.operationKey?.({ kind: "update", value: 0, expectedGeneration: null }, null),
    VM_MODEL.operationKey?.({ kind: "update", value: 0, expectedGeneration: 1 }, null),
    VM_MODEL.operationKey?.({ kind: "delete", expectedGeneration: 1 }, null),
  ];
  expect(new Set(keys).size).toBe(keys.length);
});

function dataOf(input: VmInput): Uint8Array {
  const command =
    input.kind === "create"
      ? createVm("vm", input.value)
      : input.kind === "update"
        ? updateVm("vm", input.value, input.expectedGeneration ?? 0)
        : deleteVm("vm", input.kind === "delete" ? input.expectedGeneration : null);
  return stampRequest(encodeRequest(sessionless(command)), { wallMs: 1, proposer: 1 });
}

function outputOf(result: ApplyResult | undefined): VmOutput {
  if (result === undefined) throw new Error("no result");
  if (result.ok) {
    if (result.kind === "vmDeleted") return { kind: "deleted", generation: result.generation };
    if (result.kind === "vmCreated" || result.kind === "vmUpdated")
      return { kind: "written", generation: result.generation };
    throw new Error(result.kind);
  }
  switch (result.refusal.kind) {
    case "vmExists":
      return { kind: "exists" };
    case "vmNotFound":
      return { kind: "absent" };
    case "generationMismatch":
      return { kind: "mismatch", actual: result.refusal.actual };
    default:
      throw new Error(result.refusal.kind);
  }
}
