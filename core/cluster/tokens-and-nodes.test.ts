import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type ApplyResult, CLUSTER_LIMITS, type ClusterEvent } from "../domain/index.ts";
import { eventsOf, keptEvents, NO_EVENTS, restoredEvents, withEvents } from "./events.ts";
import {
  applyEntries,
  type ClusterState,
  type Command,
  decodeSnapshot,
  emptyState,
  encodeRequest,
  encodeSnapshot,
  nodeOf,
  query,
  stampRequest,
} from "./index.ts";
import { InvalidCommand } from "./invalid.ts";

const HASH = "ab".repeat(32);
const ADDRESSES = ["127.0.0.1:7001"];

function entry(index: number, command: Command, wallMs = index) {
  const data = stampRequest(encodeRequest({ session: null, command }), { wallMs, proposer: 1 });
  return { index, term: 1, data };
}

/** A state machine that is asked one thing after the other. */
class Machine {
  state: ClusterState = emptyState();

  do(command: Command, wallMs = 0): ApplyResult | undefined {
    const outcome = applyEntries(this.state, [entry(this.state.appliedIndex + 1, command, wallMs)]);
    this.state = outcome.state;
    return outcome.results[0];
  }

  refusal(command: Command, wallMs = 0): unknown {
    const result = this.do(command, wallMs);
    return result?.ok === false ? result.refusal : result;
  }

  get events(): readonly ClusterEvent[] {
    return [...eventsOf(this.state.events)];
  }
}

const create = (fields: Partial<Extract<Command, { kind: "createToken" }>> = {}): Command => ({
  kind: "createToken",
  id: "token001",
  secretHash: HASH,
  purpose: "join",
  ttlMs: 1000,
  nodeId: null,
  ...fields,
});
const admit = (fields: Partial<Extract<Command, { kind: "admitNode" }>> = {}): Command => ({
  kind: "admitNode",
  tokenId: "token001",
  secretHash: HASH,
  nodeId: 2,
  peerId: "peer-2",
  addresses: ADDRESSES,
  ...fields,
});
const announce = (nodeId: number, peerId: string, addresses = ADDRESSES): Command => ({
  kind: "announceNode",
  nodeId,
  peerId,
  addresses,
});

const tried = (machine: Machine, asked: Extract<Command, { kind: "admitNode" }>): unknown => {
  const answer = query(machine.state, { ...asked, kind: "tryAdmission" });
  return answer.kind === "admission" ? answer.refusal : answer;
};

describe("a join token", () => {
  test("lets one node in, once, and the same node again after a lost answer", () => {
    const machine = new Machine();
    expect(machine.do(create(), 100)).toEqual({ ok: true, kind: "tokenCreated", expiresAtMs: 1100 });
    expect(machine.do(admit())).toEqual({ ok: true, kind: "nodeAdmitted" });
    expect(machine.do(admit(), 5000)).toEqual({ ok: true, kind: "nodeAdmitted" });
    expect(machine.refusal(admit({ nodeId: 3, peerId: "peer-3" }))).toEqual({ kind: "tokenUsed", nodeId: 2 });
    expect(machine.refusal(admit({ peerId: "peer-3" }))).toEqual({ kind: "tokenUsed", nodeId: 2 });
    expect(machine.events.map(({ kind }) => kind)).toEqual(["tokenCreated", "nodeAdmitted"]);
  });

  test.each<[string, Command, Command, number]>([
    ["tokenNotFound", create(), admit({ tokenId: "token002" }), 0],
    ["tokenNotFound", create(), admit({ secretHash: "cd".repeat(32) }), 0],
    ["tokenNotForJoining", create({ purpose: "api" }), admit(), 0],
    ["tokenExpired", create(), admit(), 1000],
    ["tokenForAnotherNode", create({ nodeId: 3 }), admit(), 0],
    ["nodeIdTaken", create(), admit({ nodeId: 1, peerId: "peer-2" }), 0],
    ["peerIdTaken", create(), admit({ nodeId: 2, peerId: "peer-1" }), 0],
  ])("is refused as %s, and nothing changes", (kind, made, asked, wallMs) => {
    const machine = new Machine();
    machine.do(announce(1, "peer-1"));
    machine.do(made);
    const { tokens, nodes, events } = machine.state;
    const refusal = machine.refusal(asked, wallMs);
    expect(refusal).toMatchObject({ kind });
    // Known beforehand too, without an entry.
    if (asked.kind === "admitNode") expect(tried(machine, asked)).toEqual(refusal);
    expect([machine.state.tokens, machine.state.nodes, machine.state.events]).toEqual([tokens, nodes, events]);
  });

  test("expires by the cluster's time, not by whoever asks", () => {
    const machine = new Machine();
    machine.do(create());
    machine.do(announce(1, "peer-1"), 1000);
    expect(machine.refusal(admit(), 5)).toEqual({ kind: "tokenExpired", expiredAtMs: 1000 });
  });

  test("is worth nothing once revoked", () => {
    const machine = new Machine();
    machine.do(create());
    expect(machine.do({ kind: "revokeToken", id: "token001" })).toEqual({ ok: true, kind: "tokenRevoked" });
    expect(machine.do({ kind: "revokeToken", id: "token001" })).toEqual({ ok: true, kind: "tokenRevoked" });
    expect(machine.refusal(admit())).toEqual({ kind: "tokenRevoked" });
    expect(machine.refusal({ kind: "revokeToken", id: "token002" })).toEqual({ kind: "tokenNotFound" });
    expect(machine.refusal(create())).toEqual({ kind: "tokenExists" });
    expect(machine.events.map(({ kind }) => kind)).toEqual(["tokenCreated", "tokenRevoked"]);
  });

  test("gives way when it has expired and there is no room; one that holds does not", () => {
    const machine = new Machine();
    for (let n = 0; n < CLUSTER_LIMITS.tokens; n++)
      machine.do(create({ id: `token${1000 + n}`, ttlMs: n === 7 ? 10 : 1000 }));
    expect(machine.refusal(create())).toEqual({
      kind: "limitReached",
      limit: "tokens",
      maximum: CLUSTER_LIMITS.tokens,
    });
    expect(machine.do(create(), 10)).toMatchObject({ ok: true });
    expect(machine.state.tokens.has("token1007")).toBe(false);
    expect(machine.state.tokens.size).toBe(CLUSTER_LIMITS.tokens);
  });
});

describe("a node", () => {
  test("announces where it listens, and says so once", () => {
    const machine = new Machine();
    machine.do(announce(1, "peer-1"));
    machine.do(announce(1, "peer-1"));
    machine.do(announce(1, "peer-1", ["127.0.0.1:9"]));
    expect(nodeOf(machine.state, 1)).toEqual({ id: 1, peerId: "peer-1", addresses: ["127.0.0.1:9"], role: "none" });
    expect(machine.events).toHaveLength(2);
    expect(machine.refusal(announce(1, "peer-2"))).toEqual({ kind: "nodeIdTaken", nodeId: 1 });
    expect(machine.refusal(announce(2, "peer-1"))).toEqual({ kind: "peerIdTaken", nodeId: 1 });
  });

  test("has the role that the configuration gives it, and keeps its record when it has left", () => {
    const machine = new Machine();
    machine.do(announce(1, "peer-1"));
    const membership = { voters: [1], learners: [2], members: [1, 2].map((id) => ({ id, peerId: `peer-${id}` })) };
    const joined = applyEntries(machine.state, [{ index: 2, term: 1, membership }]);
    expect(joined.results).toEqual([null]);
    const gone = { voters: [2], learners: [], members: [{ id: 2, peerId: "peer-2" }] };
    const { state } = applyEntries(joined.state, [{ index: 3, term: 2, membership: gone }]);
    expect(query(state, { kind: "listNodes" })).toEqual({
      kind: "nodes",
      nodes: [
        { id: 1, peerId: "peer-1", addresses: ADDRESSES, role: "none" },
        { id: 2, peerId: "peer-2", addresses: [], role: "voter" },
      ],
    });
    expect([...eventsOf(state.events)].at(-1)).toMatchObject({ kind: "membershipChanged", index: 3, voters: [2] });
  });

  test("keeps its id and its identity to itself, whatever a configuration says", () => {
    const machine = new Machine();
    machine.do(announce(1, "peer-1"));
    machine.do(announce(2, "peer-2"));
    const members = [
      { id: 1, peerId: "peer-9" },
      { id: 3, peerId: "peer-2" },
      { id: 4, peerId: "peer-4" },
    ];
    const { state } = applyEntries(machine.state, [
      { index: 3, term: 1, membership: { voters: [1, 3, 4], learners: [], members } },
    ]);
    expect([1, 2, 3, 4].map((id) => nodeOf(state, id))).toEqual([
      { id: 1, peerId: "peer-1", addresses: ADDRESSES, role: "none" },
      { id: 2, peerId: "peer-2", addresses: ADDRESSES, role: "none" },
      null,
      { id: 4, peerId: "peer-4", addresses: [], role: "voter" },
    ]);
    // A snapshot with one identity at two ids could never be read again.
    expect(decodeSnapshot(encodeSnapshot(state, 50))).toEqual(state);
  });
});

describe("events", () => {
  const event = (index: number): ClusterEvent => ({
    index,
    term: 1,
    atMs: 0,
    kind: "tokenRevoked",
    tokenId: "token001",
  });

  test("the same are kept however they were cut into batches, and after a restart in the middle", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 1, maxLength: 20 }), fc.nat(), (cuts, at) => {
        let next = 1;
        let log = NO_EVENTS;
        for (const [n, cut] of cuts.entries()) {
          log = withEvents(
            log,
            Array.from({ length: cut }, () => event(next++)),
            CLUSTER_LIMITS.events,
          );
          if (n === at % cuts.length) log = restoredEvents(log.total, [...eventsOf(log)]);
        }
        let slow = NO_EVENTS;
        for (let index = 1; index < next; index++) slow = withEvents(slow, [event(index)], CLUSTER_LIMITS.events);
        expect(log).toEqual(slow);
        expect([...eventsOf(log)].length).toBe(keptEvents(log.total, CLUSTER_LIMITS.events));
        expect([...eventsOf(log)].length).toBeGreaterThanOrEqual(Math.min(log.total, CLUSTER_LIMITS.events));
      }),
      { numRuns: 30 },
    );
  });

  test("a page begins after the index asked for, and says when something is missing", () => {
    const log = withEvents(
      NO_EVENTS,
      Array.from({ length: 5000 }, (_, n) => event((n + 1) * 2)),
      CLUSTER_LIMITS.events,
    );
    const state = { ...emptyState(), events: log, appliedIndex: 10_001 };
    const page = (afterIndex: number, limit: number) => query(state, { kind: "listEvents", afterIndex, limit });
    const oldestIndex = 2 * (5000 - keptEvents(5000, CLUSTER_LIMITS.events) + 1);
    expect(page(9996, 10)).toMatchObject({ events: [event(9998), event(10_000)], complete: true, lastIndex: 10_001 });
    expect(page(9997, 1)).toMatchObject({ events: [event(9998)], complete: true, oldestIndex });
    expect(page(0, 1)).toMatchObject({ events: [event(oldestIndex)], complete: false });
    // Of the entry whose event is the oldest that is kept, there may have been others before it.
    expect(page(oldestIndex - 1, 1)).toMatchObject({ events: [event(oldestIndex)], complete: false });
    expect(page(oldestIndex, 1)).toMatchObject({ events: [event(oldestIndex + 2)], complete: true });
    expect(page(10_000, 10)).toMatchObject({ events: [], complete: true });
  });

  test("they are part of a snapshot", () => {
    const machine = new Machine();
    machine.do(create());
    machine.do(admit());
    const restored = decodeSnapshot(encodeSnapshot(machine.state, 50));
    expect(restored.events).toEqual(machine.state.events);
    expect(restored.tokens).toEqual(machine.state.tokens);
    expect(restored.nodes).toEqual(machine.state.nodes);
  });
});

test.each<[string, Command]>([
  ["command.id", create({ id: "short" })],
  ["command.id", create({ id: "UPPER000" })],
  ["command.secretHash", create({ secretHash: "ab" })],
  ["command.ttlMs", create({ ttlMs: 0 })],
  ["command.ttlMs", create({ ttlMs: CLUSTER_LIMITS.tokenTtlMs + 1 })],
  ["command.nodeId", create({ nodeId: 0 })],
  ["command.peerId", admit({ peerId: "" })],
  ["command.peerId", admit({ peerId: "a b" })],
  ["command.addresses", admit({ addresses: [] })],
  [
    "command.addresses",
    announce(
      1,
      "peer-1",
      Array.from({ length: 9 }, () => "a:1"),
    ),
  ],
  ["command.addresses[0]", announce(1, "peer-1", ["a".repeat(257)])],
])("%s is checked before anything is sent", (field, command) => {
  expect(() => encodeRequest({ session: null, command })).toThrow(InvalidCommand);
  expect(() => encodeRequest({ session: null, command })).toThrow(expect.objectContaining({ field }));
});
