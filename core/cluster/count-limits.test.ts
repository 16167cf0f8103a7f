/** A cluster may be given lower limits than a real one has: each is met, told, and kept through a snapshot. */
import { describe, expect, test } from "vitest";
import { type CountLimits, DEFAULT_QUOTA, vmSpec } from "../domain/index.ts";
import { keptEvents } from "./events.ts";
import { type Command, decodeSnapshot, encodeSnapshot, InvalidSnapshot } from "./index.ts";
import { factsWith, poolWith, StateMachine, taskWith } from "./testing/index.ts";

const LOW: CountLimits = {
  sessions: 2,
  vms: 2,
  tokens: 2,
  nodes: 2,
  events: 64,
  workers: 2,
  tenants: 2,
  tasks: 2,
  ipPools: 2,
};

function token(nth: number): Command {
  return {
    kind: "createToken",
    id: `token00${nth}`,
    secretHash: "0".repeat(64),
    purpose: "join",
    nodeId: null,
    ttlMs: 1000,
  };
}

const COUNTED: readonly (readonly [keyof CountLimits, (nth: number) => Command])[] = [
  ["vms", (nth) => ({ kind: "createVm", name: `vm-${nth}`, spec: vmSpec() })],
  ["nodes", (nth) => ({ kind: "announceNode", nodeId: nth, peerId: `peer-${nth}`, addresses: [`10.0.0.${nth}:1`] })],
  ["tenants", (nth) => ({ kind: "setQuota", tenant: `tenant-${nth}`, quota: DEFAULT_QUOTA })],
  ["ipPools", (nth) => ({ kind: "createPool", spec: poolWith({ name: `pool-${nth}`, subnet: `10.${nth}.0.0/24` }) })],
  ["tasks", (nth) => ({ kind: "submitTask", id: `task-${nth}`, spec: taskWith({}) })],
  ["tokens", token],
];

describe("with lower limits", () => {
  test.each(COUNTED)("one more of %s than there may be is refused", (limit, command) => {
    const machine = new StateMachine(LOW);
    for (const nth of [1, 2]) machine.do(command(nth));
    expect(machine.refusal(command(3))).toEqual({ kind: "limitReached", limit, maximum: LOW[limit] });
    const usual = new StateMachine();
    for (const nth of [1, 2, 3]) usual.do(command(nth));
  });

  test("one more worker is refused", () => {
    const machine = new StateMachine({ ...LOW, nodes: 3 });
    for (const nth of [1, 2]) machine.register(nth);
    machine.do({ kind: "announceNode", nodeId: 3, peerId: "peer-3", addresses: ["10.0.0.3:1"] });
    const third: Command = { kind: "registerWorker", workerId: 3, bootId: 1, facts: factsWith() };
    expect(machine.refusal(third)).toEqual({ kind: "limitReached", limit: "workers", maximum: LOW.workers });
  });

  test("one more session expires the least recently active", () => {
    const machine = new StateMachine(LOW);
    const open = (clientToken: string): number => {
      const result = machine.do({ kind: "openSession", clientToken });
      return result.ok && result.kind === "sessionOpened" ? result.sessionId : 0;
    };
    const [first, second] = [open("a"), open("b")];
    expect(open("a")).toBe(first);
    open("c");
    expect(machine.state.sessionCount).toBe(2);
    expect(open("a")).toBe(first);
    expect(open("b")).not.toBe(second);
  });

  test("fewer events are kept, after a snapshot too", () => {
    const machine = new StateMachine(LOW);
    for (let n = 0; n < 150; n += 1) {
      machine.do({ kind: "createVm", name: "vm", spec: vmSpec() });
      machine.do({ kind: "deleteVm", name: "vm", expectedGeneration: null });
    }
    expect(machine.state.events.total).toBe(300);
    expect(machine.events.length).toBe(keptEvents(300, 64));
    expect(machine.events.length).toBeLessThanOrEqual(128);
    const restored = decodeSnapshot(encodeSnapshot(machine.state, 100), LOW);
    expect(restored).toEqual(machine.state);
    // The limits are no part of it.
    expect(() => decodeSnapshot(encodeSnapshot(machine.state, 100))).toThrow(InvalidSnapshot);
  });
});
