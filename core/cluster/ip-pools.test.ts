import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  addressOf,
  allocatableCount,
  type IpPoolSpec,
  type NetworkAttachment,
  nextFree,
  type PoolStrategy,
  parseIp,
  printIp,
  type VmSpec,
  vmSpec,
} from "../domain/index.ts";
import { type Command, encodeRequest, poolOf } from "./index.ts";
import { poolWith, StateMachine } from "./testing/index.ts";

const createPool = (fields: Partial<IpPoolSpec> = {}): Command => ({ kind: "createPool", spec: poolWith(fields) });
const remove = (name: string): Command => ({ kind: "deleteVm", name, expectedGeneration: null });
const lan = { networks: [{ pool: "lan" }] };

/** Two workers, and a pool of `size` addresses. */
function cluster(size = 3): StateMachine {
  const machine = new StateMachine();
  for (const id of [1, 2]) machine.register(id);
  machine.do(createPool({ rangeFirst: "10.0.0.10", rangeLast: `10.0.0.${9 + size}` }));
  return machine;
}

const indexOf = (machine: StateMachine, name: string): number => machine.vm(name).addresses[0]?.index ?? -1;

describe("an allocation", () => {
  test("is one for each network, from creation on", () => {
    const machine = cluster();
    machine.do(createPool({ name: "wan", subnet: "fd00::/112" }));
    machine.create("a", { networks: [{ pool: "lan" }, { pool: "wan" }, { pool: "lan" }] });
    expect(machine.vm("a").addresses).toEqual([
      { pool: "lan", index: 0 },
      { pool: "wan", index: 1 },
      { pool: "lan", index: 1 },
    ]);
  });

  test("is all or nothing", () => {
    const machine = cluster(2);
    machine.do(createPool({ name: "wan", subnet: "10.1.0.0/24" }));
    machine.create("a", lan);
    const networks = [{ pool: "wan" }, { pool: "lan" }, { pool: "lan" }];
    const create = (fields: readonly { pool: string }[]): Command => ({
      kind: "createVm",
      name: "b",
      spec: { ...machine.vm("a").spec, networks: fields },
    });
    expect(machine.refusal(create(networks))).toEqual({ kind: "poolExhausted", pool: "lan", size: 2 });
    expect(machine.refusal(create([{ pool: "none" }]))).toEqual({ kind: "poolNotFound", pool: "none" });
    machine.do({ kind: "setPoolEnabled", name: "wan", enabled: false });
    expect(machine.refusal(create([{ pool: "lan" }, { pool: "wan" }]))).toEqual({ kind: "poolDisabled", pool: "wan" });
    machine.create("b", lan);
  });

  test("gives address, MAC and name of the tap device together, and no two of them are ever equal", () => {
    const spec = poolWith({ subnet: "10.0.0.0/16", gateway: "10.0.0.1" });
    const seen = new Set<string>();
    for (const number of [1, 2, 255, 256, 65_535]) {
      for (const index of [2, 3, 255, 256, 65_534]) {
        const { address, mac, tap } = addressOf(spec, number, index);
        expect(mac).toMatch(/^02:b1(:[0-9a-f]{2}){4}$/);
        expect(tap.length).toBeLessThanOrEqual(15);
        expect(address).toBe(`10.0.${index >> 8}.${index & 255}`);
        seen.add(mac).add(tap);
      }
    }
    expect(seen.size).toBe(50);
  });

  test("never is the network, the broadcast address, the gateway or what is reserved", () => {
    const spec = poolWith({ subnet: "192.0.2.0/29", gateway: "192.0.2.1", reserved: ["192.0.2.3", "192.0.2.1"] });
    expect(allocatableCount(spec)).toBe(4);
    const given: number[] = [];
    for (let cursor = -1; given.length < 4; ) {
      cursor = nextFree(spec, cursor, (index) => given.includes(index)) ?? expect.unreachable();
      given.push(cursor);
    }
    expect(given.map((index) => addressOf(spec, 1, index).address)).toEqual([
      "192.0.2.2",
      "192.0.2.4",
      "192.0.2.5",
      "192.0.2.6",
    ]);
    expect(nextFree(spec, 0, (index) => given.includes(index))).toBeNull();
  });
});

describe("a network that names no pool", () => {
  /** Three pools, and none of them used: `a` and `b` carry "dmz", `b` alone "fast". */
  function pools(size = 3): StateMachine {
    const machine = new StateMachine();
    for (const id of [1, 2]) machine.register(id);
    for (const [at, tags] of [["dmz"], ["dmz", "fast"], []].entries()) {
      const [name = "", net] = ["abc"[at], `10.0.${at}`];
      machine.do(
        createPool({
          name,
          subnet: `${net}.0/24`,
          rangeFirst: `${net}.1`,
          rangeLast: `${net}.${size}`,
          tags,
          zone: name === "c" ? "z" : null,
        }),
      );
    }
    return machine;
  }
  const any = (...tags: string[]): NetworkAttachment => ({ pool: null, tags });
  const poolsOf = (machine: StateMachine, name: string): string =>
    machine
      .vm(name)
      .addresses.map(({ pool }) => pool)
      .join("");
  const strategy = (machine: StateMachine, name: PoolStrategy): void =>
    void machine.do({ kind: "setPoolStrategy", strategy: name });
  const named = (name: string, networks: readonly NetworkAttachment[]): Command => ({
    kind: "createVm",
    name,
    spec: vmSpec({ networks }),
  });

  test("has its address of the least used of those that carry all its tags", () => {
    const machine = pools();
    machine.create("one", { networks: [any("dmz")] });
    machine.create("two", { networks: [any("dmz")] });
    machine.create("three", { networks: [any("fast", "dmz")] });
    machine.create("four", { networks: [any(), any()] });
    expect(["one", "two", "three", "four"].map((name) => poolsOf(machine, name))).toEqual(["a", "b", "b", "ca"]);
    expect(machine.vm("three").spec.networks).toEqual([any("fast", "dmz")]);
  });

  test("has it by the strategy that is set, from then on", () => {
    const machine = pools();
    strategy(machine, "most-used");
    expect(machine.lastEvents).toMatchObject([{ kind: "poolStrategySet", strategy: "most-used" }]);
    for (const name of ["m1", "m2", "m3", "m4"]) machine.create(name, { networks: [any()] });
    expect(["m1", "m2", "m3", "m4"].map((name) => poolsOf(machine, name)).join("")).toBe("aaab");
    strategy(machine, "round-robin");
    for (const name of ["r1", "r2", "r3", "r4"]) machine.create(name, { networks: [any()] });
    // `a` is full.
    expect(["r1", "r2", "r3", "r4"].map((name) => poolsOf(machine, name)).join("")).toBe("bcbc");
    strategy(machine, "topology-aware");
    const locality = { preferredDatacenter: null, preferredZone: "z", strict: false, excludedDatacenters: [] };
    machine.create("t1", { networks: [any()], locality });
    expect(poolsOf(machine, "t1")).toBe("c");
    strategy(machine, "topology-aware");
    expect(machine.lastEvents).toEqual([]);
  });

  test("takes its turn only when it gets an address", () => {
    const machine = pools();
    strategy(machine, "round-robin");
    machine.create("one", { networks: [any()] });
    expect(machine.refusal(named("two", [any(), any("none")]))).toMatchObject({ kind: "noPoolWithTags" });
    machine.create("two", { networks: [any()] });
    expect(poolsOf(machine, "two")).toBe("b");
  });

  test("leaves the last address to whoever has less to choose from", () => {
    const machine = pools(1);
    machine.create("one", { networks: [any(), any("fast"), any("dmz")] });
    expect(poolsOf(machine, "one")).toBe("cba");
    machine.do(remove("one"));
    machine.create("two", { networks: [any("dmz"), { pool: "a" }] });
    expect(poolsOf(machine, "two")).toBe("ba");
  });

  test("is refused with what there is none of", () => {
    const machine = pools(1);
    expect(machine.refusal(named("web", [any("dmz", "slow")]))).toEqual({
      kind: "noPoolWithTags",
      tags: ["dmz", "slow"],
    });
    machine.do({ kind: "setPoolEnabled", name: "b", enabled: false });
    expect(machine.refusal(named("web", [any("fast")]))).toEqual({
      kind: "poolsDisabled",
      tags: ["fast"],
      disabledCount: 1,
    });
    machine.create("one", { networks: [any("dmz")] });
    // All or none: the address of `c` that it would have got is still there.
    expect(machine.refusal(named("web", [{ pool: "c" }, any("dmz")]))).toEqual({
      kind: "poolsExhausted",
      tags: ["dmz"],
      size: 1,
      disabledCount: 1,
    });
    machine.create("web", { networks: [{ pool: "c" }] });
    expect(new StateMachine().refusal(named("web", [any()]))).toEqual({ kind: "noPoolWithTags", tags: [] });
  });

  test("keeps its address when the VM is changed, whatever the strategy would choose now", () => {
    const machine = pools();
    machine.create("web", { networks: [any("dmz")] });
    const [first] = machine.vm("web").addresses;
    strategy(machine, "most-used");
    machine.create("other", { networks: [{ pool: "b" }, { pool: "b" }] });
    machine.do({ kind: "setPoolEnabled", name: "a", enabled: false });
    // Bigger; with another network; in another order; without it; less picky; with its pool named.
    const changes: Partial<VmSpec>[] = [
      { networks: [any("dmz")], vcpus: 9 },
      { networks: [any("dmz"), any("fast")] },
      { networks: [any("fast"), any("dmz")] },
      { networks: [any("dmz")] },
      { networks: [any()] },
      { networks: [{ pool: "a" }] },
    ];
    for (const change of changes) {
      machine.do(machine.update("web", change));
      expect(machine.vm("web").addresses).toContainEqual(first);
    }
    expect(machine.vm("web").addresses).toEqual([first]);
    machine.do(machine.update("web", { networks: [any("fast")] }));
    expect(poolsOf(machine, "web")).toBe("b");
    machine.do(remove("web"));
    machine.do(remove("other"));
    for (const name of ["a", "b", "c"]) expect(poolOf(machine.state, name)?.usedCount).toBe(0);
  });
});

describe("an address is not given to another VM while its machine may still answer", () => {
  function holds(machine: StateMachine): void {
    const refusal = machine.refusal({ kind: "createVm", name: "new", spec: machine.vm("web").spec });
    expect(refusal).toEqual({ kind: "poolExhausted", pool: "lan", size: 1 });
  }
  function isFree(machine: StateMachine): void {
    machine.create("new", lan);
    expect(indexOf(machine, "new")).toBe(0);
  }

  test("stopped, moved, restarted or failed: it is still that VM's", () => {
    const machine = cluster(1);
    machine.running("web", 1, lan);
    machine.do({ kind: "setVmDesired", name: "web", desired: "stopped" });
    machine.see("stopped");
    holds(machine);
    machine.do({ kind: "migrateVm", name: "web", to: null });
    machine.see("absent");
    holds(machine);
    machine.do({ kind: "setVmDesired", name: "web", desired: "running" });
    machine.place("web", 2);
    machine.see("failed");
    holds(machine);
    expect(indexOf(machine, "web")).toBe(0);
  });

  test("deleted: until the machine is seen gone", () => {
    const machine = cluster(1);
    machine.running("web", 1, lan);
    machine.do(remove("web"));
    holds(machine);
    machine.see("stopped");
    holds(machine);
    machine.see("absent");
    isFree(machine);
  });

  test("deleted, and its worker is lost: until the worker is back without it, or an operator knows it dead", () => {
    for (const ends of ["back", "dead"] as const) {
      const machine = cluster(1);
      machine.running("web", 1, lan);
      machine.do(remove("web"));
      machine.lose();
      holds(machine);
      if (ends === "dead") machine.do({ kind: "confirmWorkerDead", workerId: 1 });
      else {
        machine.register(1, {}, 2);
        holds(machine);
        machine.see("absent");
      }
      isFree(machine);
    }
  });

  test("deleted while it waits for a worker that is lost: likewise", () => {
    const machine = cluster(1);
    machine.running("web", 1, { ...lan, onWorkerLost: "wait" });
    machine.lose();
    machine.do(remove("web"));
    holds(machine);
    machine.do({ kind: "confirmWorkerDead", workerId: 1 });
    isFree(machine);
  });

  test("deleted after its worker's lease has run out, and it is free to run elsewhere: at once, as it might have run at once", () => {
    const machine = cluster(1);
    machine.running("web", 1, lan);
    machine.lose();
    machine.do(remove("web"));
    isFree(machine);
  });

  test("leaves its worker while deleted: until it is seen gone", () => {
    const machine = cluster(1);
    machine.running("web", 1, lan);
    machine.do({ kind: "evictVm", name: "web", epoch: machine.vm().epoch, cause: "drain", to: 2 });
    machine.do(remove("web"));
    holds(machine);
    machine.lose(2);
    holds(machine);
    machine.see("absent");
    isFree(machine);
  });
});

test("an index that has become free is the last to be given again", () => {
  const machine = cluster(3);
  for (const name of ["a", "b"]) machine.create(name, lan);
  machine.do(remove("a"));
  machine.create("c", lan);
  expect(indexOf(machine, "c")).toBe(2);
  machine.create("d", lan);
  expect(indexOf(machine, "d")).toBe(0);
});

describe("a pool", () => {
  test("in use is not deleted, and its number is not given again", () => {
    const machine = cluster();
    machine.create("a", lan);
    expect(machine.refusal({ kind: "deletePool", name: "lan" })).toEqual({ kind: "poolInUse", usedCount: 1 });
    machine.do(remove("a"));
    machine.do({ kind: "deletePool", name: "lan" });
    expect(machine.refusal({ kind: "deletePool", name: "lan" })).toEqual({ kind: "poolNotFound", pool: "lan" });
    machine.do(createPool());
    expect(machine.state.nextPoolNumber).toBe(3);
    expect(machine.refusal(createPool())).toEqual({ kind: "poolExists" });
  });

  test("does not share addresses with another of the same VLAN", () => {
    const machine = cluster();
    expect(machine.refusal(createPool({ name: "b", subnet: "10.0.0.128/25" }))).toEqual({
      kind: "poolOverlaps",
      pool: "lan",
    });
    machine.do(createPool({ name: "b", subnet: "10.0.0.128/25", vlan: 5 }));
    expect(machine.refusal(createPool({ name: "c", subnet: "10.0.0.0/16", vlan: 5 }))).toMatchObject({ pool: "b" });
    machine.do(createPool({ name: "d", subnet: "10.0.1.0/24" }));
  });

  test("that is switched off keeps what it gave out", () => {
    const machine = cluster();
    machine.create("a", lan);
    machine.do({ kind: "setPoolEnabled", name: "lan", enabled: false });
    expect(machine.lastEvents).toMatchObject([{ kind: "poolChanged", change: "disabled" }]);
    expect(indexOf(machine, "a")).toBe(0);
    machine.do({ kind: "setPoolEnabled", name: "lan", enabled: false });
    expect(machine.lastEvents).toEqual([]);
    machine.do({ kind: "setPoolEnabled", name: "lan", enabled: true });
    machine.create("b", lan);
  });

  const wrong: [string, Partial<IpPoolSpec>][] = [
    ["command.spec.subnet", { subnet: "10.0.0.1/24" }],
    ["command.spec.subnet", { subnet: "10.0.0.0/7" }],
    ["command.spec.subnet", { subnet: "10.0.0/24" }],
    ["command.spec.subnet", { subnet: "fd00::/47" }],
    ["command.spec.subnet", { subnet: "010.0.0.0/24" }],
    ["command.spec.gateway", { gateway: "10.0.1.1" }],
    ["command.spec.gateway", { gateway: "fd00::1" }],
    ["command.spec.reserved[0]", { reserved: ["10.0.0.256"] }],
    ["command.spec.dns[1]", { dns: ["1.1.1.1", "one"] }],
    ["command.spec.rangeFirst", { rangeFirst: "10.0.1.0" }],
    ["command.spec.rangeLast", { rangeFirst: "10.0.0.9", rangeLast: "10.0.0.8" }],
    ["command.spec.vlan", { vlan: 4095 }],
    ["command.spec", { subnet: "10.0.0.0/8" }],
    ["command.spec", { subnet: "10.0.0.0/31", gateway: "10.0.0.0", reserved: ["10.0.0.1"] }],
  ];
  test.each(wrong)("%s is checked: %j", (field, fields) => {
    const refused = expect.objectContaining({ name: "InvalidCommand", field });
    expect(() => encodeRequest({ session: null, command: createPool(fields) })).toThrow(refused);
  });
});

describe("addresses as text", () => {
  test("come back as they were, in their one form", () => {
    const value = fc.oneof(
      fc.bigInt(0n, 2n ** 32n - 1n).map((v) => ({ family: 4 as const, value: v })),
      fc.array(fc.oneof(fc.constant(0), fc.nat(0xffff)), { minLength: 8, maxLength: 8 }).map((groups) => ({
        family: 6 as const,
        value: groups.reduce((sum, group) => sum * 65_536n + BigInt(group), 0n),
      })),
    );
    fc.assert(
      fc.property(value, (address) => {
        expect(parseIp(printIp(address), "x")).toEqual(address);
      }),
      { numRuns: 1000 },
    );
  });

  test.each([
    [0n, "::"],
    [1n, "::1"],
    [2n ** 112n, "1::"],
    [(0x20010db8n << 96n) + 1n, "2001:db8::1"],
    [0x20010db8000000010001000100010001n, "2001:db8:0:1:1:1:1:1"],
    [0x20010db8000000000001000000000001n, "2001:db8::1:0:0:1"],
  ])("%d is %s (RFC 5952)", (value, text) => {
    expect(printIp({ family: 6, value })).toBe(text);
  });

  test.each([
    "1::0",
    "::0:1",
    "2001:DB8::1",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1::2::3",
    "::g",
    "1.2.3",
    "1.2.3.4.5",
    "01.2.3.4",
    " 1.2.3.4",
    "",
  ])("%j is refused", (text) => {
    expect(() => parseIp(text, "x")).toThrow(expect.objectContaining({ field: "x" }));
  });
});
