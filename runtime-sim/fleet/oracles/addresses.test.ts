import { expect, test } from "vitest";
import { vmSpec } from "../../../core/index.ts";
import { addresses } from "./addresses.ts";
import { FakeFleet } from "./testing/index.ts";

const first = { addresses: [{ pool: "lan", index: 4 }] };

function fleetWithPool(): FakeFleet {
  const fleet = new FakeFleet(addresses);
  fleet.setPool("lan", 1);
  return fleet;
}

test("an address is given out again once nobody answers to it", () => {
  const fleet = fleetWithPool();
  fleet.running("one", 1, first);
  fleet.worker(1).end("one");
  fleet.remove("one");
  fleet.running("two", 1, first);
  expect(fleet.violations).toEqual([]);
  expect(fleet.checks).toBe(14);
});

test("planted: two VMs own one address", () => {
  const fleet = fleetWithPool();
  fleet.create("one", first);
  fleet.create("two", first);
  expect(fleet.violations).toEqual([
    "10.0.0.4 of VLAN none belongs to one since event 3, 0.000000 s, and is given to two",
    "02:b1:00:01:00:04 belongs to one since event 3, 0.000000 s, and is given to two",
    "bx-1-4 belongs to one since event 3, 0.000000 s, and is given to two",
  ]);
});

test("planted: the address of a VM is given out while its machine is still there", () => {
  const fleet = fleetWithPool();
  fleet.running("one", 1, first);
  fleet.remove("one");
  fleet.create("two", first);
  expect(fleet.violations[0]).toBe(
    "10.0.0.4 of VLAN none is given to two while one answers to it on worker 1 since event 6, 0.000000 s",
  );
});

test("planted: a machine of a VM that is no more begins to answer to an address that has another owner", () => {
  const fleet = fleetWithPool();
  fleet.create("one", first);
  fleet.place("one", 1);
  const { epoch } = fleet.vm("one");
  const interfaces = fleet.interfaces("one");
  fleet.remove("one");
  fleet.create("two", first);
  expect(fleet.violations).toEqual([]);
  // Its record is gone: only the run is left to tell.
  fleet.create("one");
  fleet.worker(1).run("one", epoch, interfaces);
  expect(fleet.violations[0]).toBe(
    "one answers to 10.0.0.4 of VLAN none on worker 1, which belongs to two since event 6, 0.000000 s",
  );
});

test("planted: a host has set up another address than the machine's VM holds", () => {
  const fleet = fleetWithPool();
  fleet.create("one", first);
  fleet.place("one", 1);
  fleet.worker(1).run("one", fleet.vm("one").epoch, []);
  expect(fleet.violations).toEqual([
    "one runs on worker 1 with , and holds 10.0.0.4 of VLAN none,02:b1:00:01:00:04,bx-1-4",
  ]);
});

test("planted: two pools have one number, and so one MAC", () => {
  const fleet = fleetWithPool();
  fleet.setPool("dmz", 1);
  fleet.create("one", first);
  fleet.create("two", { addresses: [{ pool: "dmz", index: 4 }] });
  expect(fleet.violations).toContain("02:b1:00:01:00:04 belongs to one since event 4, 0.000000 s, and is given to two");
});

test("planted: an address of a pool that the VM did not ask for, or none at all", () => {
  const fleet = fleetWithPool();
  fleet.setPool("dmz", 2, ["fast"]);
  const at = (...pools: string[]) => pools.map((pool, index) => ({ pool, index }));
  const networks = [{ pool: "lan" }, { pool: null, tags: ["fast"] }] as const;
  fleet.create("right", { spec: vmSpec({ networks }), addresses: at("lan", "dmz") });
  expect(fleet.violations).toEqual([]);
  fleet.remove("right");
  fleet.create("named", { spec: vmSpec({ networks }), addresses: at("dmz", "dmz") });
  fleet.remove("named");
  fleet.create("tagged", { spec: vmSpec({ networks }), addresses: at("lan", "lan") });
  fleet.remove("tagged");
  fleet.create("bare", { spec: vmSpec({ networks }), addresses: at("lan") });
  expect(fleet.violations).toEqual([
    "named has no address that serves its network 1",
    "tagged has no address that serves its network 2",
    "bare has no address that serves its network 2",
  ]);
});

test("planted: an update that changes no network moves an address", () => {
  const fleet = fleetWithPool();
  const spec = vmSpec({ networks: [{ pool: null, tags: [] }] });
  fleet.create("one", { spec, ...first });
  fleet.update("one", { spec: { ...spec, vcpus: 9 } });
  expect(fleet.violations).toEqual([]);
  fleet.setPool("dmz", 2);
  fleet.update("one", { spec, addresses: [{ pool: "dmz", index: 1 }] });
  expect(fleet.violations).toEqual(["one has another address than by entry 0, and the same networks"]);
});
