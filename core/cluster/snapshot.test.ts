import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { restoredEvents } from "./events.ts";
import {
  type ApplyResult,
  applyEntries,
  type ClusterEvent,
  type ClusterState,
  type Command,
  type CommandEntry,
  type CommandRequest,
  DEFAULT_VM_SPEC,
  decodeSnapshot,
  emptyState,
  encodeRequest,
  encodeSnapshot,
  getVm,
  InvalidSnapshot,
  type NodeRecord,
  type Session,
  stampRequest,
  type TokenRecord,
  type VmRecord,
  type VmSpec,
} from "./index.ts";
import { sessionOf } from "./state.ts";
import { bucketOfSlot, slotOfIndex, slotOfText, tableOf } from "./table.ts";

const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?$/);

function snapshotBytes(state: ClusterState): string {
  return [...encodeSnapshot(state, 1 << 20)].map((chunk) => Buffer.from(chunk).toString("hex")).join("");
}

function one(state: ClusterState, entry: CommandEntry): { state: ClusterState; result: ApplyResult | undefined } {
  const outcome = applyEntries(state, [entry]);
  return { state: outcome.state, result: outcome.results[0] };
}

/** A state with every kind of value in it. */
const fullSpec: VmSpec = {
  vcpus: 4,
  memoryMiB: 4096,
  diskGiB: 0,
  hypervisor: "qemu",
  tenant: "acme",
  priority: 1000,
  preemptible: false,
  features: ["gpu", "avx512"],
  antiAffinity: [
    { group: "web", softWeight: null, maxPerDomain: 1, scope: "rack" },
    { group: "db", softWeight: 10, maxPerDomain: 2, scope: "datacenter" },
  ],
  locality: { preferredDatacenter: "north", preferredZone: null, strict: true, excludedDatacenters: ["south"] },
  networks: [{ pool: "public" }],
  volumes: [{ name: "data", sizeGiB: 100 }],
  source: { kind: "nixModule", nixModule: "{ pkgs, ... }: { services.nginx.enable = true; } # \u{1f980}" },
  healthChecks: [
    {
      name: "http",
      probe: { kind: "http", port: 8080, path: "/healthz" },
      intervalMs: 30_000,
      timeoutMs: 1000,
      initialDelayMs: 0,
      failures: 3,
      successes: 2,
      weight: 1,
      critical: true,
    },
    {
      name: "agent",
      probe: { kind: "guestAgent" },
      intervalMs: 1,
      timeoutMs: 1,
      initialDelayMs: 1,
      failures: 1,
      successes: 1,
      weight: 0,
      critical: false,
    },
  ],
  recovery: { restartsMax: 0, backoffMs: 1, backoffFactor: 1, backoffMaxMs: 2, resetAfterMs: 3 },
  metadata: { owner: "ops", "10": "integer-like keys sort as text" },
};

const vms: readonly VmRecord[] = [
  {
    name: "web-1",
    tenant: "acme",
    spec: fullSpec,
    state: "Lost",
    desired: "stopped",
    generation: 3,
    epoch: 7,
    createdIndex: 5,
    updatedIndex: 5_000_000_000,
    createdAtMs: 1_700_000_000_000,
    updatedAtMs: 1_800_000_000_000,
  },
  {
    name: "a",
    tenant: "default",
    spec: DEFAULT_VM_SPEC,
    state: "Pending",
    desired: "running",
    generation: 1,
    epoch: 0,
    createdIndex: 1,
    updatedIndex: 1,
    createdAtMs: 0,
    updatedAtMs: 0,
  },
];

const sessions: readonly Session[] = [
  { id: 9, clientToken: "idle \u00e9", lastActiveIndex: 9, lowestUnacknowledged: 1, responses: [] },
  {
    id: 10,
    clientToken: "busy",
    lastActiveIndex: 4_000_000_000,
    lowestUnacknowledged: 100,
    responses: [
      { sequence: 100, result: { ok: true, kind: "vmCreated", generation: 1 } },
      { sequence: 101, result: { ok: true, kind: "vmUpdated", generation: 2 } },
      { sequence: 103, result: { ok: true, kind: "vmDeleted", generation: 2 } },
      { sequence: 104, result: { ok: false, refusal: { kind: "vmExists" } } },
      { sequence: 105, result: { ok: false, refusal: { kind: "vmNotFound" } } },
      { sequence: 106, result: { ok: false, refusal: { kind: "generationMismatch", expected: 1, actual: 300 } } },
      { sequence: 163, result: { ok: false, refusal: { kind: "limitReached", limit: "vms", maximum: 1_000_000 } } },
    ],
  },
];

function stateWith(fields: {
  readonly vms?: readonly VmRecord[];
  readonly sessions?: readonly Session[];
  readonly vmCount?: number;
}): ClusterState {
  const held = fields.vms ?? [];
  const open = fields.sessions ?? [];
  return {
    ...emptyState(),
    vms: tableOf(
      slotOfText,
      held.map((vm) => [vm.name, vm] as const),
    ),
    sessions: tableOf(
      slotOfIndex,
      open.map((session) => [session.id, session] as const),
    ),
    sessionIds: tableOf(
      slotOfText,
      open.map((session) => [session.clientToken, session.id] as const),
    ),
    vmCount: fields.vmCount ?? held.length,
    sessionCount: open.length,
    timeMs: 1_800_000_000_000,
    appliedIndex: 5_000_000_001,
  };
}

/** What version 2 added. */
const later = {
  tokens: new Map<string, TokenRecord>(
    [
      {
        id: "0123456789abcdef",
        secretHash: "ab".repeat(32),
        purpose: "join" as const,
        nodeId: 4,
        createdAtMs: 1_700_000_000_000,
        expiresAtMs: 1_900_000_000_000,
        usedBy: 4,
        revokedAtMs: null,
      },
      {
        id: "api00001",
        secretHash: "0".repeat(64),
        purpose: "api" as const,
        nodeId: null,
        createdAtMs: 1_700_000_000_000,
        expiresAtMs: 1_700_000_000_001,
        usedBy: null,
        revokedAtMs: 1_750_000_000_000,
      },
    ].map((token) => [token.id, token]),
  ),
  nodes: new Map<number, NodeRecord>(
    [
      { id: 4, peerId: "peer-4", addresses: ["127.0.0.1:7004", "[::1]:7004"], role: "voter" as const },
      { id: 1, peerId: "peer-1", addresses: [], role: "none" as const },
    ].map((node) => [node.id, node]),
  ),
  events: restoredEvents(8, [
    { index: 1, term: 1, atMs: 0, kind: "vmCreated", name: "a", tenant: "default", generation: 1 },
    { index: 2, term: 1, atMs: 1, kind: "vmUpdated", name: "a", tenant: "default", generation: 2 },
    { index: 3, term: 1, atMs: 1, kind: "vmDeleted", name: "a", tenant: "default", generation: 2 },
    { index: 4, term: 2, atMs: 2, kind: "tokenCreated", tokenId: "api00001", purpose: "api" },
    { index: 5, term: 2, atMs: 2, kind: "tokenRevoked", tokenId: "api00001" },
    { index: 6, term: 2, atMs: 2, kind: "nodeAdmitted", nodeId: 4, tokenId: "0123456789abcdef" },
    { index: 7, term: 2, atMs: 2, kind: "nodeAnnounced", nodeId: 4, addresses: ["127.0.0.1:7004"] },
    { index: 5_000_000_000, term: 9, atMs: 3, kind: "membershipChanged", voters: [1, 4], learners: [5] },
  ]),
};
const withoutLater = { tokens: new Map(), nodes: new Map(), events: emptyState().events };

const everything: ClusterState = { ...stateWith({ vms, sessions }), ...later };

describe("snapshots", () => {
  test("equal states have equal bytes, whatever their history", () => {
    const names = fc.uniqueArray(label, { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(names, fc.infiniteStream(fc.nat()), (created, dice) => {
        const shuffled = created
          .map((name) => ({ name, at: dice.next().value ?? 0 }))
          .sort((a, b) => a.at - b.at)
          .map(({ name }) => name);
        // Each VM at an index of its own, whenever it is made; then both end at the same one.
        const build = (order: readonly string[], detour: boolean): ClusterState => {
          let state = emptyState();
          for (const name of order) {
            const index = created.indexOf(name) + 1;
            state = { ...one({ ...state, appliedIndex: 0 }, create(index, name)).state, timeMs: 0 };
          }
          if (detour) {
            state = one({ ...state, appliedIndex: 0 }, create(100, "detour")).state;
            const gone: Command = { kind: "deleteVm", name: "detour", expectedGeneration: null };
            state = one(state, entryOf(101, { session: null, command: gone })).state;
          }
          // What happened on the way differs, of course.
          return { ...state, timeMs: 0, appliedIndex: 1000, events: emptyState().events };
        };
        fc.pre(!created.includes("detour"));
        expect(snapshotBytes(build(shuffled, true))).toBe(snapshotBytes(build(created, false)));
      }),
      { numRuns: 60 },
    );
  });

  test("keys that share a bucket, or a leaf, come in order", () => {
    const [plain] = vms.slice(-1);
    const [idle] = sessions;
    if (plain === undefined || idle === undefined) throw new Error("fixture");
    const slot = slotOfText("n0");
    const names = Array.from({ length: 40_000 }, (_, i) => `n${i}`);
    const near = names.filter((name) => bucketOfSlot(slotOfText(name)) === bucketOfSlot(slot)).slice(0, 20);
    const together = [...new Set([...near, ...names.filter((name) => slotOfText(name) === slot)])];
    expect(together.length).toBeGreaterThan(20);
    const records = together.map((name) => ({ ...plain, name }));
    // One leaf, one bucket, and the next round of buckets.
    const open = [1, 1 + 8192, 1 + 2 * 8192, 1 + 128, 129 + 8192, 2].map((id) => ({
      ...idle,
      id,
      clientToken: `t${id}`,
      lastActiveIndex: id,
    }));
    const forth = stateWith({ vms: records, sessions: open });
    const back = stateWith({ vms: records.toReversed(), sessions: open.toReversed() });
    expect(snapshotBytes(back)).toBe(snapshotBytes(forth));
    expect(snapshotBytes(decodeSnapshot(encodeSnapshot(back, 77)))).toBe(snapshotBytes(forth));
  });

  test("damaged, cut or lengthened bytes are refused, or are another valid state in canonical bytes", () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const bytes = Buffer.from(snapshotBytes(everything), "hex");
        const damaged = new Uint8Array(bytes);
        const place = at % damaged.length;
        damaged[place] = (damaged[place] ?? 0) ^ flip;
        try {
          decodeSnapshot([damaged]);
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidSnapshot);
        }
        expect(() => decodeSnapshot([bytes.subarray(0, place)])).toThrow(InvalidSnapshot);
        expect(() => decodeSnapshot([bytes, Uint8Array.of(flip)])).toThrow(InvalidSnapshot);
      }),
      { numRuns: 500 },
    );
  });

  test("random bytes are refused", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 50 })), (chunks) => {
        expect(() => decodeSnapshot(chunks)).toThrow(InvalidSnapshot);
      }),
    );
  });
});

describe("snapshot format", () => {
  // Written once, by the version that wrote such snapshots. If this fails, old snapshots can no longer be read.
  const version1 =
    "0000002696af626c69786172642d636c757374657201cb41f2a05f20100000cb427a3185c50000000202000000389aa161dc001002cd04000501a764656661756c74cd01f4c39090c09090c0909503cd138802ce000493e0ce0036ee80900000010001010000000001159aa57765622d31dc001004cd10000000a461636d65cd03e8c292a3677075a66176783531329294a3776562c0010194a264620a020394a56e6f727468c0c391a5736f75746891a67075626c69639192a464617461649201d9377b20706b67732c202e2e2e207d3a207b2073657276696365732e6e67696e782e656e61626c65203d20747275653b207d202320f09fa6809299a4687474709300cd1f90a82f6865616c74687acd7530cd03e800030201c399a56167656e749105010101010100c29500010102039292a23130be696e74656765722d6c696b65206b65797320736f7274206173207465787492a56f776e6572a36f70730801030705cb41f2a05f20000000cb4278bcfe56800000cb427a3185c50000000000000d9509a769646c6520c3a909019000000037950aa462757379ceee6b280064979264920001926592010292679202029268910392699104926a930501cd012c92cca39206ce000f4240";

  const golden =
    "0000002999af626c69786172642d636c757374657202cb41f2a05f20100000cb427a3185c50000000202020208000000389aa161dc001002cd04000501a764656661756c74cd01f4c39090c09090c0909503cd138802ce000493e0ce0036ee80900000010001010000000001159aa57765622d31dc001004cd10000000a461636d65cd03e8c292a3677075a66176783531329294a3776562c0010194a264620a020394a56e6f727468c0c391a5736f75746891a67075626c69639192a464617461649201d9377b20706b67732c202e2e2e207d3a207b2073657276696365732e6e67696e782e656e61626c65203d20747275653b207d202320f09fa6809299a4687474709300cd1f90a82f6865616c74687acd7530cd03e800030201c399a56167656e749105010101010100c29500010102039292a23130be696e74656765722d6c696b65206b65797320736f7274206173207465787492a56f776e6572a36f70730801030705cb41f2a05f20000000cb4278bcfe56800000cb427a3185c50000000000000d9509a769646c6520c3a909019000000037950aa462757379ceee6b280064979264920001926592010292679202029268910392699104926a930501cd012c92cca39206ce000f42400000006a98b030313233343536373839616263646566d940616261626162616261626162616261626162616261626162616261626162616261626162616261626162616261626162616261626162616261626162616261620004cb4278bcfe56800000cb427ba60d3380000004c00000006a98a86170693030303031d9403030303030303030303030303030303030303030303030303030303030303030303030303030303030303030303030303030303030303030303030303030303001c0cb4278bcfe56800000cb4278bcfe56801000c0cb427977420dc000000000000b9401a6706565722d319000000000259404a6706565722d3492ae3132372e302e302e313a37303034aa5b3a3a315d3a3730303402000000109700010100a161a764656661756c7401000000109701020101a161a764656661756c7402000000109702030101a161a764656661756c74020000000f9603040202a86170693030303031010000000e9504050202a8617069303030303100000017960506020204b0303132333435363738396162636465660000001696060702020491ae3132372e302e302e313a37303034000000129607cb41f2a05f2000000009039201049105";

  test("a state has these bytes", () => {
    expect(snapshotBytes(everything)).toBe(golden);
  });

  test("a snapshot of version 1 is read, and written anew as version 2", () => {
    const old = decodeSnapshot([new Uint8Array(Buffer.from(version1, "hex"))]);
    expect([old.tokens.size, old.nodes.size, old.events.total]).toEqual([0, 0, 0]);
    expect(snapshotBytes(old)).toBe(snapshotBytes({ ...everything, ...withoutLater }));
  });

  test.each([
    ["version 1", version1],
    ["version 2", golden],
  ])("the bytes of %s have that state", (_, bytes) => {
    const decoded = decodeSnapshot([new Uint8Array(Buffer.from(bytes, "hex"))]);
    for (const vm of vms) expect(getVm(decoded, vm.name)).toEqual(vm);
    for (const session of sessions) expect(sessionOf(decoded, session.id)).toEqual(session);
    const { vmCount, sessionCount, timeMs, appliedIndex } = decoded;
    expect({ vmCount, sessionCount, timeMs, appliedIndex }).toEqual({
      vmCount: 2,
      sessionCount: 2,
      timeMs: 1_800_000_000_000,
      appliedIndex: 5_000_000_001,
    });
    // Found by its token, so a retried open is answered with it.
    const again = applyEntries(decoded, [
      entryOf(5_000_000_002, { session: null, command: { kind: "openSession", clientToken: "busy" } }),
    ]);
    expect(again.results).toEqual([{ ok: true, kind: "sessionOpened", sessionId: 10 }]);
  });

  test("chunks are of the size asked for, cut anywhere", () => {
    const whole = Buffer.from(golden, "hex");
    for (const size of [1, 2, 3, 64, 1000]) {
      const chunks = [...encodeSnapshot(everything, size)];
      for (const chunk of chunks.slice(0, -1)) expect(chunk).toHaveLength(size);
      expect(chunks).toHaveLength(Math.ceil(whole.length / size));
      expect(Buffer.concat(chunks)).toEqual(whole);
      expect(snapshotBytes(decodeSnapshot(chunks))).toBe(golden);
    }
  });

  test("an empty state is one small chunk", () => {
    const chunks = [...encodeSnapshot(emptyState(), 1 << 20)];
    expect(chunks).toHaveLength(1);
    expect(chunks[0]?.length).toBeLessThan(50);
    expect(snapshotBytes(decodeSnapshot(chunks))).toBe(snapshotBytes(emptyState()));
  });

  test("a chunk size below one is a defect of the caller", () => {
    expect(() => [...encodeSnapshot(emptyState(), 0)]).toThrow(RangeError);
  });

  const aNode: NodeRecord = { id: 1, peerId: "peer-1", addresses: [], role: "voter" };
  const anEvent: ClusterEvent = { index: 1, term: 1, atMs: 0, kind: "tokenRevoked", tokenId: "api00001" };
  const [full, plain] = vms;
  const [idle, busy] = sessions;
  if (full === undefined || plain === undefined || idle === undefined || busy === undefined) throw new Error("fixture");

  test.each<[string, ClusterState]>([
    ["vms[0].generation", stateWith({ vms: [{ ...plain, generation: 0 }] })],
    ["vms[0].createdIndex", stateWith({ vms: [{ ...plain, createdIndex: 2 }] })],
    ["vms[0].updatedIndex", stateWith({ vms: [{ ...plain, updatedIndex: 5_000_000_002 }] })],
    ["vms[0].updatedAtMs", stateWith({ vms: [{ ...plain, updatedAtMs: 1_800_000_000_001 }] })],
    ["vms[0].name", stateWith({ vms: [{ ...plain, name: "A" }] })],
    ["vms[0].spec.vcpus", stateWith({ vms: [{ ...plain, spec: { ...plain.spec, vcpus: 0 } }] })],
    ["vms[0]", stateWith({ vmCount: 1 })],
    ["snapshot", stateWith({ vms: [plain], vmCount: 0 })],
    ["sessions[0].id", stateWith({ sessions: [{ ...idle, id: 10 }] })],
    ["sessions[0].responses.sequence", stateWith({ sessions: [{ ...busy, lowestUnacknowledged: 101 }] })],
    ["sessions[0].responses.sequence", stateWith({ sessions: [{ ...busy, lowestUnacknowledged: 99 }] })],
    ["sessions.clientToken", stateWith({ sessions: [idle, { ...busy, clientToken: idle.clientToken }] })],
    ["sessions.lastActiveIndex", stateWith({ sessions: [{ ...idle, id: 8, lastActiveIndex: 4_000_000_000 }, busy] })],
    ["nodes.peerId", { ...everything, nodes: new Map([1, 2].map((id) => [id, { ...aNode, id }])) }],
    ["nodes[0].addresses[0]", { ...everything, nodes: new Map([[1, { ...aNode, addresses: ["a b"] }]]) }],
    ["events[0].index", { ...everything, events: restoredEvents(1, [{ ...anEvent, index: 5_000_000_002 }]) }],
    ["events[1]", { ...everything, events: restoredEvents(2, [anEvent, anEvent]) }],
  ])("%s is checked", (field, state) => {
    expect(() => decodeSnapshot(encodeSnapshot(state, 1000))).toThrow(
      expect.objectContaining({ name: "InvalidSnapshot", field }),
    );
  });

  test("records out of order, or twice, are refused", () => {
    const bytes = Buffer.from(snapshotBytes(stateWith({ vms: [plain], vmCount: 2 })), "hex");
    const headerLength = 4 + bytes.readUInt32BE(0);
    const twice = Buffer.concat([bytes, bytes.subarray(headerLength)]);
    expect(() => decodeSnapshot([twice])).toThrow(expect.objectContaining({ field: "vms[1]" }));
  });

  test("another version is refused by it", () => {
    const bytes = Buffer.from(golden, "hex");
    const version = 4 + 1 + 1 + "blixard-cluster".length;
    expect(bytes[version]).toBe(2);
    bytes[version] = 3;
    expect(() => decodeSnapshot([bytes])).toThrow(expect.objectContaining({ field: "header.version", limit: 2 }));
  });
});

function entryOf(index: number, original: CommandRequest): CommandEntry {
  return { index, term: 1, data: stampRequest(encodeRequest(original), { wallMs: index, proposer: 1 }) };
}

function create(index: number, name: string): CommandEntry {
  return entryOf(index, { session: null, command: { kind: "createVm", name, spec: DEFAULT_VM_SPEC } });
}
