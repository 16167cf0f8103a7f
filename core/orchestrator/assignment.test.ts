/** What a worker is told: all of its own, nothing of others, and never more than fits. */
import { describe, expect, test } from "vitest";
import { encodeDirective, HOST_LIMITS } from "../agent/index.ts";
import { vmSpec } from "../cluster/index.ts";
import { machine, Office } from "../testing/index.ts";
import { attemptNumber } from "./observations.ts";

const MANY = { capacity: { vcpus: 100_000, memoryMiB: 100_000_000, diskGiB: 1_000_000 } };

function officeWith(...ids: readonly number[]): Office {
  const office = new Office();
  for (const id of ids) office.join(id, MANY);
  return office;
}

/** What the directive for this report explains. */
function explained(office: Office, id: number, lacks: readonly string[] = []): string[] {
  const report = { ...office.reportOf(id), lacks: { vms: lacks, tasks: [] } };
  const directive = office.answer(id, report, office.nowMs);
  return directive?.kind === "granted" ? directive.details.vms.map(({ name }) => name) : [];
}

describe("how it is done", () => {
  test("is told with the assignment that asks for it, and not again", () => {
    const office = officeWith(1);
    office.create("web");
    expect(explained(office, 1)).toEqual(["web"]);
    office.create("db");
    expect(explained(office, 1)).toEqual(["db"]);
    expect(explained(office, 1)).toEqual([]);
  });

  test("is told to whoever asks for it, of its own VMs and of no other", () => {
    const office = officeWith(1, 2);
    office.create("mine", { workerId: 1 });
    office.create("other", { workerId: 2 });
    explained(office, 1);
    explained(office, 2);
    expect(explained(office, 1, ["mine", "other", "nobodys"])).toEqual(["mine"]);
  });

  test("is told of as many at a time as fit, and of those first that it asks for", () => {
    const office = officeWith(1);
    for (let n = 0; n < 100; n++) office.create(`vm-${n}`);
    const first = explained(office, 1, ["vm-99"]);
    expect(first).toHaveLength(HOST_LIMITS.vmDetails);
    expect(first).toContain("vm-99");
    expect(explained(office, 1, ["vm-98"])).toEqual(["vm-98"]);
  });

  test("an attempt that was placed before a process came up may have been begun by the one before it", () => {
    const office = new Office();
    office.join(1);
    office.submit("early");
    office.report(1);
    const begunOf = () => office.host(1).assignment?.tasks.map(({ id, isBegun }) => `${id} ${isBegun}`);
    expect(begunOf()).toEqual(["early false"]);
    office.reboot(1);
    office.report(1);
    office.submit("late");
    office.report(1);
    expect(begunOf()).toEqual(["early true", "late false"]);
  });

  test("of a task too, under the number of its attempt", () => {
    const office = officeWith(1);
    office.submit("job");
    const directive = office.report(1);
    expect(directive?.kind === "granted" ? directive.details.tasks : []).toEqual([
      { id: "job", attempt: attemptNumber(office.task("job")), command: "true", args: [], timeoutMs: 1000 },
    ]);
  });

  test("a spec that has changed is told anew", () => {
    const office = officeWith(1);
    office.create("web");
    explained(office, 1);
    const { spec } = office.vm("web");
    office.commit({ kind: "updateVm", name: "web", expectedGeneration: 1, spec: { ...spec, metadata: { a: "b" } } });
    expect(explained(office, 1)).toEqual(["web"]);
    expect(office.host(1).assignment?.vms[0]).toMatchObject({
      generation: 2,
      createdIndex: office.vm("web").createdIndex,
    });
  });
});

test("however much a host is asked for, it can be told: the directive fits into a message", () => {
  const office = officeWith(1);
  const nixModule = "\u4e16".repeat(16_000);
  const args = Array.from({ length: 15 }, () => "x".repeat(4000));
  for (let n = 0; n < 200; n++)
    office.commit({
      kind: "createVm",
      name: `${"v".repeat(50)}-${n}`,
      spec: vmSpec({ vcpus: 1, memoryMiB: 1, diskGiB: 0, source: { kind: "nixModule", nixModule } }),
    });
  for (let n = 0; n < 100; n++) office.submit(`${"t".repeat(50)}-${n}`, 1, { args });
  const directive = office.orchestrator.directive(office.reportOf(1), [1, 2, 3], office.nowMs);
  if (directive?.kind !== "granted") throw new Error("it is granted nothing");
  expect(directive.assignment?.vms).toHaveLength(200);
  expect(encodeDirective(directive).length).toBeLessThan(4 * 1024 * 1024);
});

test("what has been seen is told as begun, and what is to be made is not", () => {
  const office = officeWith(1);
  office.create("seen");
  office.report(1);
  office.shows(1, { machines: [machine("seen", office.vm("seen").epoch, "starting")] });
  office.report(1);
  office.create("fresh");
  office.report(1);
  expect(office.host(1).assignment?.vms.map(({ name, isBegun }) => `${name} ${isBegun}`)).toEqual([
    "fresh false",
    "seen true",
  ]);
});
