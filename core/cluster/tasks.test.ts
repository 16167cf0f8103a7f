import { describe, expect, test } from "vitest";
import type { JobObservation } from "../domain/index.ts";
import type { Command } from "./index.ts";
import { StateMachine, taskWith } from "./testing/index.ts";

function cluster(attemptsMax = 1): StateMachine {
  const machine = new StateMachine();
  machine.register(1);
  machine.register(2);
  machine.do({
    kind: "submitTask",
    id: "job",
    spec: taskWith({ attemptsMax, resources: { vcpus: 60, memoryMiB: 1, diskGiB: 0 } }),
  });
  return machine;
}

const place = (machine: StateMachine, workerId = 1): Command => ({
  kind: "placeTask",
  id: "job",
  attempt: machine.task().attempt,
  workerId,
});
function see(machine: StateMachine, seen: Partial<JobObservation>, workerId = 1): void {
  const job = {
    id: "job",
    attempt: machine.task().attempt,
    phase: "exited" as const,
    exitCode: 0,
    output: "",
    ...seen,
  };
  machine.do({ kind: "observe", workerId, bootId: machine.worker(workerId).bootId, machines: [], jobs: [job] });
}

describe("a task", () => {
  test("runs to completion on a worker, and holds its room meanwhile", () => {
    const machine = cluster();
    machine.do(place(machine));
    expect(machine.task()).toMatchObject({ state: "Running", attempt: 1, workerId: 1 });
    expect(machine.worker()).toMatchObject({ used: { vcpus: 60 }, tasks: ["job"] });
    machine.create("web", { vcpus: 50 });
    expect(machine.refusal({ kind: "placeVm", name: "web", epoch: 0, workerId: 1 })).toMatchObject({
      why: "insufficient",
    });
    see(machine, { output: "done" });
    expect(machine.task()).toMatchObject({ state: "Succeeded", exitCode: 0, output: "done", workerId: null });
    expect(machine.worker()).toMatchObject({ used: { vcpus: 0 }, tasks: [] });
  });

  test("has one attempt at a time: it is not placed twice, and an earlier attempt is not heard", () => {
    const machine = cluster(2);
    const first = place(machine);
    machine.do(first);
    expect(machine.refusal(first)).toEqual({ kind: "taskHasChanged" });
    expect(machine.refusal(place(machine, 2))).toEqual({ kind: "taskHasChanged" });
    see(machine, { exitCode: 3 });
    expect(machine.task()).toMatchObject({ state: "Pending", attempt: 1, exitCode: 3, reason: "exit code 3" });
    expect(machine.refusal(first)).toEqual({ kind: "taskHasChanged" });
    machine.do(place(machine, 2));
    see(machine, { attempt: 1 });
    see(machine, { attempt: 2 }, 1);
    expect(machine.task()).toMatchObject({ state: "Running", attempt: 2, workerId: 2 });
  });

  test.each<[string, Partial<JobObservation>, unknown]>([
    ["exits with a code", { exitCode: 1 }, { state: "Failed", exitCode: 1, reason: "exit code 1" }],
    [
      "cannot be begun",
      { phase: "failed", output: "no such file" },
      { state: "Failed", exitCode: null, reason: "no such file" },
    ],
    ["takes too long", { phase: "failed", output: "timed out" }, { state: "TimedOut", exitCode: null }],
    ["is gone", { phase: "absent" }, { state: "Failed", reason: "vanished with its host" }],
  ])("whose last attempt %s is over", (_, seen, expected) => {
    const machine = cluster();
    machine.do(place(machine));
    see(machine, seen);
    expect(machine.task()).toMatchObject({ ...(expected as object), workerId: null });
    see(machine, {});
    expect(machine.task().state).not.toBe("Succeeded");
  });

  test("that is lost with its worker has another attempt elsewhere, if it may", () => {
    const machine = cluster(2);
    machine.do(place(machine));
    machine.lose();
    expect(machine.task()).toMatchObject({ state: "Pending", workerId: null, reason: "worker 1 was lost" });
    machine.do(place(machine, 2));
    machine.lose(2);
    expect(machine.task()).toMatchObject({ state: "Failed", attempt: 2 });
  });

  test("that runs and is cancelled ends when its worker says so, and is not tried again", () => {
    const machine = cluster(5);
    machine.do(place(machine));
    machine.do({ kind: "cancelTask", id: "job" });
    expect(machine.task()).toMatchObject({ state: "Running", isCancelled: true, workerId: 1 });
    see(machine, { exitCode: 143 });
    expect(machine.task().state).toBe("Cancelled");
    expect(machine.refusal(place(machine))).toEqual({ kind: "taskHasChanged" });
  });

  test("that waits and is cancelled is over at once; over, it is forgotten by another cancel", () => {
    const machine = cluster();
    machine.do({ kind: "cancelTask", id: "job" });
    expect(machine.task().state).toBe("Cancelled");
    machine.do({ kind: "cancelTask", id: "job" });
    expect(machine.refusal({ kind: "cancelTask", id: "job" })).toEqual({ kind: "taskNotFound" });
    expect(machine.state.taskCount).toBe(0);
  });

  test("goes where there is room for it, and is refused where there is none", () => {
    const machine = cluster();
    machine.running("web", 1, { vcpus: 50 });
    expect(machine.refusal(place(machine))).toEqual({ kind: "doesNotFit", workerId: 1, why: "insufficient" });
    expect(machine.refusal(place(machine, 9))).toEqual({ kind: "workerNotFound", workerId: 9 });
    machine.do(place(machine, 2));
  });

  test("of a name that is taken is refused", () => {
    const machine = cluster();
    expect(machine.refusal({ kind: "submitTask", id: "job", spec: taskWith() })).toEqual({ kind: "taskExists" });
  });

  test("tells every change of its state", () => {
    const machine = cluster(2);
    machine.do(place(machine));
    see(machine, { exitCode: 1 });
    machine.do(place(machine));
    see(machine, {});
    const told = machine.events.flatMap((event) => (event.kind === "taskState" ? [[event.state, event.attempt]] : []));
    expect(told).toEqual([
      ["Pending", 0],
      ["Running", 1],
      ["Pending", 1],
      ["Running", 2],
      ["Succeeded", 2],
    ]);
  });
});
