import { expect, test } from "vitest";
import { type ClusterQuery, query } from "../../../core/index.ts";
import { answersAsApplied } from "./answers-as-applied.ts";
import { asking, FakeFleet } from "./testing/index.ts";

function fleetWithVms(): FakeFleet {
  const fleet = new FakeFleet(answersAsApplied);
  for (const name of ["one", "three", "two"]) fleet.create(name);
  fleet.place("three", 2);
  fleet.submitTask("task-1", 1);
  return fleet;
}

const QUESTIONS: readonly ClusterQuery[] = [
  { kind: "getVm", name: "one" },
  { kind: "getVm", name: "nobody" },
  { kind: "listVms", afterName: null, limit: 2 },
  { kind: "listVms", afterName: "three", limit: 2 },
  { kind: "listVms", afterName: null, limit: 3, tenant: "nobody" },
  { kind: "getWorker", id: 2 },
  { kind: "getWorker", id: 9 },
  { kind: "listWorkers" },
  { kind: "getTask", id: "task-1" },
  { kind: "listTasks", afterId: null, limit: 1 },
  { kind: "listTenants" },
  { kind: "listPools" },
  { kind: "listNodes" },
  { kind: "getScheduler" },
];

test("what the core says is what the state says", () => {
  const fleet = fleetWithVms();
  const { state } = fleet;
  for (const asked of QUESTIONS)
    fleet.audit.answered(asking(asked), { kind: "read", index: state.appliedIndex, result: query(state, asked) });
  expect(fleet.violations).toEqual([]);
  expect(fleet.checks).toBe(QUESTIONS.length);
});

test("an answer of an earlier state is judged by that state", () => {
  const fleet = fleetWithVms();
  const { state } = fleet;
  fleet.remove("one");
  const asked: ClusterQuery = { kind: "listVms", afterName: null, limit: 10 };
  const result = query(state, asked);
  fleet.audit.answered(asking(asked, "stale"), { kind: "read", index: state.appliedIndex, result });
  expect(fleet.violations).toEqual([]);
  fleet.audit.answered(asking(asked, "stale"), { kind: "read", index: fleet.state.appliedIndex, result });
  expect(fleet.violations).toEqual([expect.stringContaining("is answered by entry 7: .vms[0].state is")]);
});

test("planted: a page that leaves one out, and one that names a next page although it is the last", () => {
  const fleet = fleetWithVms();
  const { appliedIndex: index } = fleet.state;
  const asked: ClusterQuery = { kind: "listVms", afterName: "one", limit: 2 };
  const vms = [fleet.vm("three"), fleet.vm("two")];
  fleet.audit.answered(asking(asked), { kind: "read", index, result: { kind: "vms", vms, nextAfterName: "two" } });
  fleet.audit.answered(asking(asked), {
    kind: "read",
    index,
    result: { kind: "vms", vms: vms.slice(1), nextAfterName: null },
  });
  expect(fleet.violations).toEqual([
    expect.stringContaining('.nextAfterName is "two", not null'),
    expect.stringContaining(".vms[0]"),
  ]);
});

test("planted: a worker that is said to have nothing", () => {
  const fleet = fleetWithVms();
  const { state } = fleet;
  const asked = { kind: "getWorker", id: 2 } as const;
  const result = { ...query<"getWorker">(state, asked), vms: [] };
  fleet.audit.answered(asking(asked), { kind: "read", index: state.appliedIndex, result });
  expect(fleet.violations).toEqual([expect.stringContaining(".vms[0] is undefined, not")]);
});

test("planted: an answer by what is not committed", () => {
  const fleet = fleetWithVms();
  const asked: ClusterQuery = { kind: "listWorkers" };
  fleet.audit.answered(asking(asked), { kind: "read", index: 99, result: query(fleet.state, asked) });
  expect(fleet.violations).toEqual(["listWorkers is answered by entry 99, and only 6 is committed"]);
});
