import { expect, test } from "vitest";
import { type Overcommit, vmSpec } from "../../../core/index.ts";
import { hostCapacity } from "./host-capacity.ts";
import { FakeFleet } from "./testing/index.ts";

const half = { spec: vmSpec({ vcpus: 5, memoryMiB: 100, diskGiB: 1 }) };

test("as much as there is", () => {
  const fleet = new FakeFleet(hostCapacity);
  fleet.running("one", 1, half);
  fleet.running("two", 1, half);
  fleet.audit.audit();
  expect(fleet.violations).toEqual([]);
  expect(fleet.checks).toBe(3);
});

test("planted: what is being created reserves nothing", () => {
  const fleet = new FakeFleet(hostCapacity);
  for (const name of ["one", "two", "three"]) {
    fleet.create(name, half);
    fleet.place(name, 1);
  }
  fleet.audit.audit();
  expect(fleet.violations).toEqual([
    "worker 1 is promised 15 vcpus, 300 MiB and 3 GiB of disk, and may be at most 10 vcpus, 10240 MiB and 100 GiB of disk",
  ]);
});

test("planted: tasks take no room", () => {
  const fleet = new FakeFleet(hostCapacity);
  fleet.running("one", 1, half);
  fleet.setTask({ id: "count", workerId: 1, resources: { vcpus: 6, memoryMiB: 1, diskGiB: 1 } });
  fleet.audit.audit();
  expect(fleet.violations).toHaveLength(1);
});

test("planted: a host executes what nobody has placed there", () => {
  const fleet = new FakeFleet(hostCapacity);
  fleet.running("one", 1, half);
  fleet.running("two", 1, half);
  fleet.running("three", 2, half);
  fleet.worker(1).run("three");
  fleet.worker(1).end("three");
  fleet.worker(1).end("two");
  fleet.worker(1).run("three");
  expect(fleet.violations).toHaveLength(1);
});

test("planted: a VM on a worker that there is not", () => {
  const fleet = new FakeFleet(hostCapacity);
  fleet.create("one", half);
  fleet.place("one", 4);
  fleet.audit.audit();
  expect(fleet.violations).toEqual(["5 vcpus, 100 MiB and 1 GiB of disk are placed on worker 4, which there is not"]);
});

const EXACT: Overcommit = { cpu: 1, memory: 1, disk: 1, reservePercent: 0 };

test("what was promised before the overcommit was lowered stays", () => {
  const fleet = new FakeFleet(hostCapacity);
  fleet.setOvercommit({ ...EXACT, cpu: 2 });
  for (const name of ["one", "two", "three"]) fleet.running(name, 1, half);
  fleet.create("four", half);
  fleet.place("four", 1);
  fleet.setOvercommit(EXACT);
  fleet.audit.audit();
  fleet.worker(1).run("four");
  fleet.audit.audit();
  expect(fleet.violations).toEqual([]);
});

test("planted: more is added after the overcommit was lowered", () => {
  const fleet = new FakeFleet(hostCapacity);
  fleet.setOvercommit({ ...EXACT, cpu: 2 });
  for (const name of ["one", "two", "three"]) fleet.running(name, 1, half);
  fleet.setOvercommit(EXACT);
  fleet.audit.audit();
  fleet.create("four", half);
  fleet.place("four", 1);
  fleet.audit.audit();
  expect(fleet.violations).toHaveLength(1);
});

test("planted: the room of what has left is promised again after the overcommit was lowered", () => {
  const fleet = new FakeFleet(hostCapacity);
  fleet.setOvercommit({ ...EXACT, cpu: 2 });
  for (const name of ["one", "two", "three"]) fleet.running(name, 1, half);
  fleet.setOvercommit(EXACT);
  fleet.worker(1).end("three");
  fleet.remove("three");
  fleet.audit.audit();
  fleet.create("four", half);
  fleet.place("four", 1);
  fleet.audit.audit();
  expect(fleet.violations).toHaveLength(1);
});

test("planted: what was wrong before the overcommit was changed stays wrong", () => {
  const fleet = new FakeFleet(hostCapacity);
  for (const name of ["one", "two", "three"]) {
    fleet.create(name, half);
    fleet.place(name, 1);
  }
  fleet.setOvercommit({ ...EXACT, memory: 2 });
  fleet.audit.audit();
  expect(fleet.violations).toHaveLength(1);
});
