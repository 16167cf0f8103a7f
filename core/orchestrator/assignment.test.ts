/** What a worker is told: all of its own, nothing of others, and never more than fits. */

import { describe, expect, test } from "vitest";
import { encodeDirective, HOST_LIMITS } from "../agent/index.ts";
import { vmSpec } from "../domain/index.ts";
import { machine, OrchestratorHarness } from "../testing/index.ts";
import { attemptNumber } from "./observations.ts";

const MANY = { capacity: { vcpus: 100_000, memoryMiB: 100_000_000, diskGiB: 1_000_000 } };

function withLargeWorkers(...ids: readonly number[]): OrchestratorHarness {
  const harness = new OrchestratorHarness();
  for (const id of ids) harness.join(id, MANY);
  return harness;
}

/** What the directive for this report explains. */
function explained(harness: OrchestratorHarness, id: number, lacks: readonly string[] = []): string[] {
  const report = { ...harness.reportOf(id), lacks: { vms: lacks, tasks: [] } };
  const directive = harness.answer(id, report, harness.nowMs);
  return directive?.kind === "granted" ? directive.details.vms.map(({ name }) => name) : [];
}

describe("how it is done", () => {
  test("is told with the assignment that asks for it, and not again", () => {
    const harness = withLargeWorkers(1);
    harness.create("web");
    expect(explained(harness, 1)).toEqual(["web"]);
    harness.create("db");
    expect(explained(harness, 1)).toEqual(["db"]);
    expect(explained(harness, 1)).toEqual([]);
  });

  test("is told to whoever asks for it, of its own VMs and of no other", () => {
    const harness = withLargeWorkers(1, 2);
    harness.create("mine", { workerId: 1 });
    harness.create("other", { workerId: 2 });
    explained(harness, 1);
    explained(harness, 2);
    expect(explained(harness, 1, ["mine", "other", "nobodys"])).toEqual(["mine"]);
  });

  test("is told of as many at a time as fit, and of those first that it asks for", () => {
    const harness = withLargeWorkers(1);
    for (let n = 0; n < 100; n++) harness.create(`vm-${n}`);
    const first = explained(harness, 1, ["vm-99"]);
    expect(first).toHaveLength(HOST_LIMITS.vmDetails);
    expect(first).toContain("vm-99");
    expect(explained(harness, 1, ["vm-98"])).toEqual(["vm-98"]);
  });

  test("an attempt that was placed before a process came up may have been begun by the one before it", () => {
    const harness = new OrchestratorHarness();
    harness.join(1);
    harness.submit("early");
    harness.report(1);
    const begunOf = () => harness.host(1).assignment?.tasks.map(({ id, isBegun }) => `${id} ${isBegun}`);
    expect(begunOf()).toEqual(["early false"]);
    harness.reboot(1);
    harness.report(1);
    harness.submit("late");
    harness.report(1);
    expect(begunOf()).toEqual(["early true", "late false"]);
  });

  test("of a task too, under the number of its attempt", () => {
    const harness = withLargeWorkers(1);
    harness.submit("job");
    const directive = harness.report(1);
    expect(directive?.kind === "granted" ? directive.details.tasks : []).toEqual([
      { id: "job", attempt: attemptNumber(harness.task("job")), command: "true", args: [], timeoutMs: 1000 },
    ]);
  });

  test("a spec that has changed is told anew", () => {
    const harness = withLargeWorkers(1);
    harness.create("web");
    explained(harness, 1);
    const { spec } = harness.vm("web");
    harness.commit({ kind: "updateVm", name: "web", expectedGeneration: 1, spec: { ...spec, metadata: { a: "b" } } });
    expect(explained(harness, 1)).toEqual(["web"]);
    expect(harness.host(1).assignment?.vms[0]).toMatchObject({
      generation: 2,
      createdIndex: harness.vm("web").createdIndex,
    });
  });
});

test("however much a host is asked for, it can be told: the directive fits into a message", () => {
  const harness = withLargeWorkers(1);
  const nixModule = "\u4e16".repeat(16_000);
  const args = Array.from({ length: 15 }, () => "x".repeat(4000));
  for (let n = 0; n < 200; n++)
    harness.commit({
      kind: "createVm",
      name: `${"v".repeat(50)}-${n}`,
      spec: vmSpec({ vcpus: 1, memoryMiB: 1, diskGiB: 0, source: { kind: "nixModule", nixModule } }),
    });
  for (let n = 0; n < 100; n++) harness.submit(`${"t".repeat(50)}-${n}`, 1, { args });
  const directive = harness.orchestrator.directive(harness.reportOf(1), [1, 2, 3], harness.nowMs);
  if (directive?.kind !== "granted") throw new Error("it is granted nothing");
  expect(directive.assignment?.vms).toHaveLength(200);
  expect(encodeDirective(directive).length).toBeLessThan(4 * 1024 * 1024);
});

test("what has been seen is told as begun, and what is to be made is not", () => {
  const harness = withLargeWorkers(1);
  harness.create("seen");
  harness.report(1);
  harness.shows(1, { machines: [machine("seen", harness.vm("seen").epoch, "starting")] });
  harness.report(1);
  harness.create("fresh");
  harness.report(1);
  expect(harness.host(1).assignment?.vms.map(({ name, isBegun }) => `${name} ${isBegun}`)).toEqual([
    "fresh false",
    "seen true",
  ]);
});
