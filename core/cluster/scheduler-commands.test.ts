import { expect, test } from "vitest";
import { DEFAULT_SCHEDULER, type SchedulerSettings } from "../domain/index.ts";
import { StateMachine } from "./testing/index.ts";

const SPREAD: SchedulerSettings = { ...DEFAULT_SCHEDULER, strategy: "spread" };
const NO_PREEMPTION: SchedulerSettings = { ...DEFAULT_SCHEDULER, preemption: false };

test("of two who change what they have read at the same time, the second is refused and resets nothing", () => {
  const machine = new StateMachine();
  const expectedGeneration = machine.state.schedulerGeneration;
  machine.do({ kind: "configureScheduler", settings: SPREAD, expectedGeneration });
  expect(machine.refusal({ kind: "configureScheduler", settings: NO_PREEMPTION, expectedGeneration })).toEqual({
    kind: "generationMismatch",
    expected: expectedGeneration,
    actual: expectedGeneration + 1,
  });
  expect(machine.state.scheduler).toEqual(SPREAD);
});

test("the same settings written again are another generation; no expectation, no refusal", () => {
  const machine = new StateMachine();
  for (const generation of [2, 3, 4]) {
    machine.do({ kind: "configureScheduler", settings: SPREAD, expectedGeneration: null });
    expect(machine.state.schedulerGeneration).toBe(generation);
  }
  // Nobody has read what is not written yet.
  expect(machine.refusal({ kind: "configureScheduler", settings: SPREAD, expectedGeneration: 5 }).kind).toBe(
    "generationMismatch",
  );
});
