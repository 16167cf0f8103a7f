import { describe, expect, test } from "vitest";
import { ASKED_CHANGES, type ClusterEvent, DEFAULT_QUOTA, vmSpec } from "../domain/index.ts";
import { AUDITED_COMMANDS } from "./command.ts";
import { eventsOf } from "./events.ts";
import {
  applyEntries,
  type ClusterState,
  type Command,
  type CommandRequest,
  decodeRequest,
  decodeSnapshot,
  emptyState,
  encodeRequest,
  encodeSnapshot,
  stampRequest,
} from "./index.ts";

const create: Command = { kind: "createVm", name: "web", spec: vmSpec() };
const remove: Command = { kind: "deleteVm", name: "nobody", expectedGeneration: null };

/** What is told of these requests, one entry each. */
function told(requests: readonly CommandRequest[]): { state: ClusterState; events: readonly ClusterEvent[] } {
  const entries = requests.map((request, at) => ({
    index: at + 1,
    term: 3,
    data: stampRequest(encodeRequest(request), { wallMs: 7, proposer: 1 }),
  }));
  const { state } = applyEntries(emptyState(), entries);
  return { state, events: [...eventsOf(state.events)] };
}

describe("who asked for what", () => {
  test("is told behind what came of it", () => {
    const { events } = told([{ session: null, actor: "token:abcd1234", command: create }]);
    expect(events.map(({ kind }) => kind)).toEqual(["vmCreated", "requested"]);
    expect(events[1]).toEqual({
      index: 1,
      term: 3,
      atMs: 7,
      kind: "requested",
      by: "token:abcd1234",
      command: "createVm",
      change: null,
      target: "web",
      refusal: null,
    });
  });

  test("is told of what was refused, which changes nothing else", () => {
    const { events } = told([{ session: null, actor: "local", command: remove }]);
    expect(events).toEqual([
      expect.objectContaining({ by: "local", command: "deleteVm", target: "nobody", refusal: "vmNotFound" }),
    ]);
  });

  test("is told once, however often a session asks again", () => {
    const session = { id: 1, sequence: 1, lowestUnacknowledged: 1 };
    const { events } = told([
      { session: null, actor: "local", command: { kind: "openSession", clientToken: "t" } },
      { session, actor: "local", command: create },
      { session, actor: "local", command: create },
      {
        session: { ...session, sequence: 2, lowestUnacknowledged: 2 },
        actor: "local",
        command: { kind: "closeSession" },
      },
      { session, actor: "local", command: create },
    ]);
    expect(events.map(({ kind, index }) => [kind, index])).toEqual([
      ["vmCreated", 2],
      ["requested", 2],
    ]);
  });

  test("is not told of who did not say who he is", () => {
    const { events } = told([
      { session: null, command: create },
      { session: null, actor: null, command: remove },
    ]);
    expect(events.map(({ kind }) => kind)).toEqual(["vmCreated"]);
  });

  test("of the cluster as a whole it is told without a target", () => {
    const { events } = told([{ session: null, actor: "local", command: { kind: "rebalance", moves: [] } }]);
    expect(events).toEqual([expect.objectContaining({ command: "rebalance", target: null, refusal: null })]);
  });

  test.each<[Command, string]>([
    [{ kind: "setAvailability", workerId: 1, availability: "cordoned" }, "cordon"],
    [{ kind: "setAvailability", workerId: 1, availability: "draining" }, "drain"],
    [{ kind: "setAvailability", workerId: 1, availability: "online" }, "uncordon"],
    [{ kind: "setVmDesired", name: "web", desired: "running" }, "start"],
    [{ kind: "setVmDesired", name: "web", desired: "stopped" }, "stop"],
    [{ kind: "setPoolEnabled", name: "lan", enabled: true }, "enable"],
    [{ kind: "setPoolEnabled", name: "lan", enabled: false }, "disable"],
    [{ kind: "setQuota", tenant: "red", quota: DEFAULT_QUOTA }, "limit"],
    [{ kind: "setQuota", tenant: "red", quota: null }, "unlimit"],
  ])("of %j it is told which way it went", (command, change) => {
    const { events } = told([{ session: null, actor: "local", command }]);
    expect(events.at(-1)).toMatchObject({ kind: "requested", command: command.kind, change });
  });

  test("is part of a snapshot, whatever was asked for", () => {
    const { state } = told([{ session: null, actor: "\u00e9".repeat(128), command: remove }]);
    const [event] = eventsOf(state.events);
    if (event?.kind !== "requested") throw new Error("nothing was told");
    const chunk = [
      ...AUDITED_COMMANDS.map((command) => ({ ...event, command })),
      ...ASKED_CHANGES.map((change) => ({ ...event, change })),
    ];
    const filled = { ...state, events: { total: chunk.length, chunks: [chunk] } };
    expect(decodeSnapshot(encodeSnapshot(filled, 100)).events).toEqual(filled.events);
  });
});

describe("an actor", () => {
  test("comes back, with a session and without", () => {
    for (const session of [null, { id: 1, sequence: 2, lowestUnacknowledged: 1 }]) {
      const request: CommandRequest = { session, actor: "node:7", command: create };
      expect(decodeRequest(new Uint8Array(encodeRequest(request)))).toEqual(request);
    }
  });

  test("who is not named leaves the bytes as they were before there were any", () => {
    const bytes = encodeRequest({ session: null, command: remove });
    expect(Buffer.from(bytes).toString("hex")).toBe("9501c004a66e6f626f6479c0");
    expect(encodeRequest({ session: null, actor: null, command: remove })).toEqual(bytes);
    expect(decodeRequest(new Uint8Array(bytes))).toEqual({ session: null, command: remove });
  });

  test.each(["", "x".repeat(129), "\ud800"])("%j is refused", (actor) => {
    const refusal = expect.objectContaining({ name: "InvalidCommand", field: "actor" });
    expect(() => encodeRequest({ session: null, actor, command: remove })).toThrow(refusal);
  });
});
