import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type ApplyResult,
  type ClusterEvent,
  type CommandResult,
  DEFAULT_QUOTA,
  NO_PLACEMENT,
  type NodeRecord,
  type Session,
  type StoredPool,
  type StoredRefusal,
  type StoredTenant,
  type StoredWorker,
  type TaskRecord,
  type TokenBucket,
  type TokenRecord,
  type VmRecord,
  type VmSpec,
  vmSpec,
} from "../domain/index.ts";
import { eventsOf, restoredEvents } from "./events.ts";
import { hashOfIndex, hashOfText } from "./hash.ts";
import {
  applyEntries,
  type ClusterState,
  type Command,
  type CommandEntry,
  type CommandRequest,
  decodeSnapshot,
  emptyState,
  encodeRequest,
  encodeSnapshot,
  getVm,
  stampRequest,
} from "./index.ts";
import { InvalidSnapshot } from "./invalid.ts";
import { rebuildIndexes } from "./rebuild-indexes.ts";
import { sessionOf } from "./state.ts";
import { bucketOf, leafOf, tableOf, tableValues } from "./table.ts";
import { VERSION_1, VERSION_2, VERSION_3, VERSION_4 } from "./testing/index.ts";

const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?$/);

function snapshotBytes(state: ClusterState): string {
  return [...encodeSnapshot(state, 1 << 20)].map((chunk) => Buffer.from(chunk).toString("hex")).join("");
}

function one(state: ClusterState, entry: CommandEntry): { state: ClusterState; result: ApplyResult | undefined } {
  const outcome = applyEntries(state, [entry]);
  return { state: outcome.state, result: outcome.results[0] };
}

/** A spec with every kind of value in it. */
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
  onWorkerLost: "restart",
  workerId: null,
  bootTimeoutMs: 120_000,
  stopTimeoutMs: 10_000,
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
    ...NO_PLACEMENT,
  },
  {
    name: "a",
    tenant: "default",
    // The bytes of the first three versions say cloud-hypervisor, which was the default then and meant any.
    spec: vmSpec({ hypervisor: "any" }),
    state: "Pending",
    desired: "running",
    generation: 1,
    epoch: 0,
    createdIndex: 1,
    updatedIndex: 1,
    createdAtMs: 0,
    updatedAtMs: 0,
    ...NO_PLACEMENT,
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
      hashOfText,
      held.map((vm) => [vm.name, vm] as const),
    ),
    sessions: tableOf(
      hashOfIndex,
      open.map((session) => [session.id, session] as const),
    ),
    sessionIds: tableOf(
      hashOfText,
      open.map((session) => [session.clientToken, session.id] as const),
    ),
    ...rebuildIndexes({ vms: held, tasks: [], workers: [], tenants: [], pools: [] }),
    vmCount: fields.vmCount ?? held.length,
    sessionCount: open.length,
    timeMs: 1_800_000_000_000,
    appliedIndex: 5_000_000_001,
  };
}

function nodesWith(nodes: readonly NodeRecord[]): Pick<ClusterState, "nodes" | "peerIds" | "nodeCount"> {
  return {
    nodes: tableOf(
      hashOfIndex,
      nodes.map((node) => [node.id, node] as const),
    ),
    peerIds: tableOf(
      hashOfText,
      nodes.map((node) => [node.peerId, node.id] as const),
    ),
    nodeCount: nodes.length,
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
  ...nodesWith([
    { id: 4, peerId: "peer-4", addresses: ["127.0.0.1:7004", "[::1]:7004"], role: "voter" },
    { id: 1, peerId: "peer-1", addresses: [], role: "none" },
  ]),
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
const withoutLater = { tokens: new Map(), ...nodesWith([]), events: emptyState().events };

/** All that there was in version 2. */
const before: ClusterState = { ...stateWith({ vms, sessions }), ...later };

/** What version 3 added: workers, placements, tasks, tenants, pools, and what came of asking for them. */
const placedVm: VmRecord = {
  name: "db-1",
  tenant: "acme",
  spec: { ...fullSpec, onWorkerLost: "wait", workerId: 4, networks: [{ pool: "public" }, { pool: "public" }] },
  state: "Stopping",
  desired: "running",
  generation: 2,
  epoch: 4_999_999_990,
  workerId: 4,
  placed: { vcpus: 8, memoryMiB: 2048, diskGiB: 100 },
  eviction: "migrate",
  targetId: 1,
  avoidId: 4,
  reason: "leaves worker 4: migrate",
  restarts: 2,
  relocations: 1,
  runningSinceMs: 1_799_999_999_000,
  addresses: [
    { pool: "public", index: 2 },
    { pool: "public", index: 3 },
  ],
  createdIndex: 6,
  updatedIndex: 4_999_999_999,
  createdAtMs: 1_700_000_000_000,
  updatedAtMs: 1_800_000_000_000,
};

const workers: readonly StoredWorker[] = [
  {
    id: 1,
    bootId: 0,
    registeredIndex: 7,
    availability: "draining",
    isOnline: false,
    assignedIndex: 8,
    capacity: { vcpus: 0, memoryMiB: 0, diskGiB: 0 },
    features: [],
    topology: { datacenter: "north", zone: "a", rack: "r1" },
    costPerHour: 0,
    driver: null,
    guestsVia: [],
  },
  {
    id: 4,
    bootId: Number.MAX_SAFE_INTEGER,
    registeredIndex: 7,
    availability: "online",
    isOnline: true,
    assignedIndex: 4_999_999_999,
    capacity: { vcpus: 64, memoryMiB: 131_072, diskGiB: 2000 },
    features: ["avx512", "gpu"],
    topology: { datacenter: "north", zone: "b", rack: "r2" },
    costPerHour: 12_500,
    driver: "microvm",
    guestsVia: [],
  },
];

const tasks: readonly TaskRecord[] = [
  {
    id: "backup-1",
    command: "/bin/backup",
    args: ["--all", ""],
    resources: { vcpus: 1, memoryMiB: 256, diskGiB: 0 },
    features: ["gpu"],
    tenant: "acme",
    timeoutMs: 60_000,
    attemptsMax: 3,
    state: "Running",
    attempt: 2,
    workerId: 4,
    isCancelled: true,
    exitCode: -1,
    output: "no space left",
    reason: "asked to end",
    createdIndex: 20,
    updatedIndex: 30,
    updatedAtMs: 1_700_000_000_001,
  },
  {
    id: "backup-2",
    command: "backup",
    args: [],
    resources: { vcpus: 0, memoryMiB: 0, diskGiB: 0 },
    features: [],
    tenant: "default",
    timeoutMs: 1,
    attemptsMax: 1,
    state: "Succeeded",
    attempt: 1,
    workerId: null,
    isCancelled: false,
    exitCode: 0,
    output: "\u00e9",
    reason: "",
    createdIndex: 21,
    updatedIndex: 31,
    updatedAtMs: 1_700_000_000_002,
  },
];

const bucket = (milliTokens: number): TokenBucket => ({ milliTokens, atMs: 1_700_000_000_003 });
const tenants: readonly StoredTenant[] = [
  { name: "acme", quota: DEFAULT_QUOTA, creates: bucket(9_999), deletes: bucket(20_000), requests: bucket(1) },
  {
    name: "idle",
    quota: { ...DEFAULT_QUOTA, vms: 0, createsPerMinute: 0 },
    creates: bucket(0),
    deletes: bucket(0),
    requests: bucket(0),
  },
];

const pools: readonly StoredPool[] = [
  {
    spec: {
      name: "inside",
      subnet: "fd00:1::/112",
      gateway: null,
      dns: [],
      rangeFirst: "fd00:1::10",
      rangeLast: "fd00:1::20",
      vlan: null,
      reserved: [],
      datacenter: null,
      zone: null,
      tags: [],
      enabled: false,
    },
    number: 2,
    cursor: -1,
  },
  {
    spec: {
      name: "public",
      subnet: "192.0.2.0/24",
      gateway: "192.0.2.1",
      dns: ["192.0.2.2"],
      rangeFirst: null,
      rangeLast: null,
      vlan: 4094,
      reserved: ["192.0.2.9"],
      datacenter: "north",
      zone: "a",
      tags: ["dmz"],
      enabled: true,
    },
    number: 1,
    cursor: 3,
  },
];

const refusals: readonly Refusal[] = [
  { kind: "tokenExists" } as const,
  { kind: "tokenNotForJoining" } as const,
  { kind: "tokenRevoked" } as const,
  { kind: "tokenNotFound" } as const,
  { kind: "tokenExpired", expiredAtMs: 5 } as const,
  { kind: "tokenUsed", nodeId: 1 } as const,
  { kind: "tokenForAnotherNode", nodeId: 2 } as const,
  { kind: "nodeIdTaken", nodeId: 3 } as const,
  { kind: "peerIdTaken", nodeId: 4 } as const,
  { kind: "limitReached", limit: "ipPools", maximum: 1000 } as const,
  { kind: "nodeNotFound", nodeId: 5 } as const,
  { kind: "workerNotFound", workerId: 6 } as const,
  { kind: "workerHasChanged", workerId: 7 } as const,
  { kind: "vmHasChanged" } as const,
  { kind: "vmIsBeingDeleted" } as const,
  { kind: "vmIsNotPlaced" } as const,
  { kind: "vmIsPlaced", workerId: 8 } as const,
  { kind: "doesNotFit", workerId: 9, why: "insufficient" } as const,
  { kind: "quotaExceeded", resource: "diskGiB", wanted: 300, limit: 200 } as const,
  { kind: "tooManyRequests", what: "deletes", perMinute: 20, retryAfterMs: 3000 } as const,
  { kind: "poolExists" } as const,
  { kind: "taskExists" } as const,
  { kind: "taskNotFound" } as const,
  { kind: "taskHasChanged" } as const,
  { kind: "poolNotFound", pool: "p" } as const,
  { kind: "poolDisabled", pool: "p" } as const,
  { kind: "poolOverlaps", pool: "p" } as const,
  { kind: "poolInUse", usedCount: 1 } as const,
  { kind: "poolExhausted", pool: "p", size: 254 } as const,
  { kind: "tooSoon", retryAfterMs: 600_000 } as const,
];

type Refusal = Extract<CommandResult, { readonly ok: false }>["refusal"];

function sessionOfResults(
  id: number,
  clientToken: string,
  kinds: readonly (typeof appliedIn3 | typeof appliedSince3)[number][],
  refused: readonly StoredRefusal[],
): Session {
  const results: readonly CommandResult[] = [
    ...kinds.map((kind) =>
      kind === "rebalanced" ? ({ ok: true, kind, moved: null, refused: null } as const) : ({ ok: true, kind } as const),
    ),
    ...refused.map((refusal) => ({ ok: false, refusal }) as const),
  ];
  return {
    id,
    clientToken,
    lastActiveIndex: id + 1,
    lowestUnacknowledged: 1,
    responses: results.map((result, at) => ({ sequence: at + 1, result })),
  };
}

const head = { index: 5_000_000_001, term: 9, atMs: 1_800_000_000_000 };
const orchestrationEvents: readonly ClusterEvent[] = [
  {
    ...head,
    kind: "vmState",
    name: "db-1",
    tenant: "acme",
    from: "Running",
    state: "Stopping",
    workerId: 4,
    epoch: 7,
    reason: "is moved",
  },
  { ...head, kind: "workerRegistered", workerId: 4, driver: "microvm" },
  { ...head, kind: "workerStatus", workerId: 1, status: "offline", reason: "lease ran out" },
  { ...head, kind: "taskState", id: "backup-1", state: "Running", attempt: 2, workerId: 4, reason: "" },
  { ...head, kind: "quotaSet", tenant: "acme", isLimited: true },
  { ...head, kind: "poolChanged", pool: "public", change: "created" },
  { ...head, kind: "schedulerConfigured", strategy: "spread" },
  {
    ...{ ...head, kind: "requested", by: "token:api00001", command: "migrateVm" },
    ...{ change: null, target: "db-1", refusal: null },
  },
  { ...head, kind: "requested", by: "local", command: "rebalance", change: null, target: null, refusal: "tooSoon" },
];

const appliedIn3 = [
  "vmChanged",
  "workerRegistered",
  "workerChanged",
  "quotaSet",
  "poolCreated",
  "poolDeleted",
  "poolChanged",
  "taskSubmitted",
  "taskChanged",
  "taskCancelled",
  "schedulerConfigured",
  "rebalanced",
] as const;
const appliedSince3 = ["poolStrategySet", "workerRemoved"] as const;

const orchestrator = sessionOfResults(11, "orchestrator", appliedIn3, refusals);

/** All that there was in version 3. */
const third: ClusterState = {
  ...stateWith({ vms: [...vms, placedVm], sessions: [...sessions, orchestrator] }),
  ...later,
  events: restoredEvents(17, [...eventsOf(later.events), ...orchestrationEvents]),
  ...rebuildIndexes({ vms: [...vms, placedVm], tasks, workers, tenants, pools }),
  tasks: tableOf(
    hashOfText,
    tasks.map((task) => [task.id, task] as const),
  ),
  taskCount: tasks.length,
  scheduler: {
    strategy: "spread",
    overcommit: { cpu: 2.5, memory: 1.2, disk: 1.15, reservePercent: 15 },
    preemption: false,
    spreadScope: "rack",
    minDomains: 2,
    costIncreasePercentMax: 20,
  },
  schedulerCursor: 4,
  nextPoolNumber: 3,
  rebalancedAtMs: 1_700_000_000_004,
  roomIndex: 4_999_999_999,
};

/**
 * What version 4 added: networks that name no pool, how one is chosen for them, how long VMs boot and power off, and
 * workers that were removed.
 */
const openVm: VmRecord = {
  ...placedVm,
  name: "open-1",
  spec: {
    ...placedVm.spec,
    networks: [
      { pool: null, tags: ["dmz", "fast"] },
      { pool: null, tags: [] },
    ],
    bootTimeoutMs: 600_000,
    stopTimeoutMs: 0,
  },
  addresses: [
    { pool: "public", index: 4 },
    { pool: "inside", index: 1 },
  ],
};

const refusalsSince3: readonly Refusal[] = [
  { kind: "noPoolWithTags", tags: [] },
  { kind: "poolsDisabled", tags: ["dmz"], disabledCount: 1 },
  { kind: "poolsExhausted", tags: ["dmz", "fast"], size: 254, disabledCount: 2 },
  { kind: "workerRemoved", workerId: 10 },
  { kind: "workerIsMember", workerId: 11 },
  { kind: "workerIsOnline", workerId: 12 },
  { kind: "workerInUse", workerId: 13, vms: 2, tasks: 1 },
];
const unbalanced = sessionOfResults(13, "newcomer", appliedSince3, refusalsSince3);
const newcomer: Session = {
  ...unbalanced,
  responses: [
    ...unbalanced.responses,
    { sequence: unbalanced.responses.length + 1, result: { ok: true, kind: "rebalanced", moved: 3, refused: 2 } },
  ],
};

const newEvents: readonly ClusterEvent[] = [
  { ...head, kind: "poolStrategySet", strategy: "topology-aware" },
  { ...head, kind: "requested", by: "local", command: "setPoolStrategy", change: null, target: null, refusal: null },
  { ...head, kind: "requested", by: "local", command: "setVmDesired", change: "stop", target: "db-1", refusal: null },
  { ...head, kind: "workerRemoved", workerId: 7 },
];

/** Since version 4 a hypervisor that is named is the one that is required. */
const everyVm = [
  ...vms.map((vm) => (vm.name === "a" ? { ...vm, spec: vmSpec({ hypervisor: "cloud-hypervisor" }) } : vm)),
  placedVm,
  openVm,
];
const everySession = [...sessions, orchestrator, newcomer];
const {
  vms: vmTable,
  sessions: sessionTable,
  sessionIds,
  vmCount,
  sessionCount,
} = stateWith({
  vms: everyVm,
  sessions: everySession,
});

const everyWorker = workers.map((worker) =>
  worker.id === 4 ? { ...worker, guestsVia: ["198.51.100.4", "2001:db8::4"] } : worker,
);

/** A state with every kind of value in it. */
const everything: ClusterState = {
  ...third,
  vms: vmTable,
  sessions: sessionTable,
  sessionIds,
  vmCount,
  sessionCount,
  ...rebuildIndexes({ vms: everyVm, tasks, workers: everyWorker, tenants, pools }),
  events: restoredEvents(17 + newEvents.length, [...eventsOf(third.events), ...newEvents]),
  poolStrategy: "topology-aware",
  poolCursor: 2,
  schedulerGeneration: 3,
  ...nodesWith([...tableValues(third.nodes), { id: 7, peerId: "peer-7", addresses: ["h:7007"], role: "removed" }]),
};

describe("snapshots", () => {
  test("equal states have equal bytes, whatever their history", () => {
    const names = fc.uniqueArray(label, { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(names, fc.infiniteStream(fc.nat()), (created, draws) => {
        const shuffled = created
          .map((name) => ({ name, at: draws.next().value ?? 0 }))
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
    const first = hashOfText("n0");
    const names = Array.from({ length: 40_000 }, (_, i) => `n${i}`);
    const near = names.filter((name) => bucketOf(hashOfText(name)) === bucketOf(first));
    const together = [
      ...new Set([...near.slice(0, 20), ...near.filter((name) => leafOf(hashOfText(name)) === leafOf(first))]),
    ];
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

function bytesOf(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, "hex"));
}

describe("snapshot format", () => {
  test("a state has these bytes", () => {
    expect(snapshotBytes(everything)).toBe(VERSION_4);
  });

  test("these bytes have that state, and what follows from it", () => {
    expect(decodeSnapshot([bytesOf(VERSION_4)])).toEqual(everything);
  });

  test("a snapshot of version 1, 2 or 3 is read, and written anew as the present one", () => {
    const first = decodeSnapshot([bytesOf(VERSION_1)]);
    expect(first).toEqual({ ...before, ...withoutLater });
    expect(snapshotBytes(first)).toBe(snapshotBytes({ ...before, ...withoutLater }));
    const second = decodeSnapshot([bytesOf(VERSION_2)]);
    expect(second).toEqual(before);
    expect(snapshotBytes(second)).toBe(snapshotBytes(before));
    const read = decodeSnapshot([bytesOf(VERSION_3)]);
    expect(read).toEqual(third);
    expect(snapshotBytes(read)).toBe(snapshotBytes(third));
  });

  test.each([
    ["version 1", VERSION_1],
    ["version 2", VERSION_2],
  ])("the bytes of %s have that state", (_, bytes) => {
    const decoded = decodeSnapshot([bytesOf(bytes)]);
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
    const whole = Buffer.from(VERSION_4, "hex");
    for (const size of [1, 2, 3, 64, 1000]) {
      const chunks = [...encodeSnapshot(everything, size)];
      for (const chunk of chunks.slice(0, -1)) expect(chunk).toHaveLength(size);
      expect(chunks).toHaveLength(Math.ceil(whole.length / size));
      expect(Buffer.concat(chunks)).toEqual(whole);
      expect(snapshotBytes(decodeSnapshot(chunks))).toBe(VERSION_4);
    }
  });

  test("an empty state is one small chunk", () => {
    const chunks = [...encodeSnapshot(emptyState(), 1 << 20)];
    expect(chunks).toHaveLength(1);
    expect(chunks[0]?.length).toBeLessThan(100);
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
    ["nodes.peerId", { ...everything, ...nodesWith([1, 2].map((id) => ({ ...aNode, id }))) }],
    ["nodes[0].addresses[0]", { ...everything, ...nodesWith([{ ...aNode, addresses: ["a b"] }]) }],
    ["events[0].index", { ...everything, events: restoredEvents(1, [{ ...anEvent, index: 5_000_000_002 }]) }],
    ["events[1]", { ...everything, events: restoredEvents(2, [{ ...anEvent, index: 2 }, anEvent]) }],
  ])("%s is checked", (field, state) => {
    expect(() => decodeSnapshot(encodeSnapshot(state, 1000))).toThrow(
      expect.objectContaining({ name: "InvalidSnapshot", field }),
    );
  });

  test("records out of order, or twice, are refused", () => {
    const bytes = Buffer.from(snapshotBytes(stateWith({ vms: [plain], vmCount: 2 })), "hex");
    const headerLength = 4 + bytes.readUInt32BE(0);
    const singlesLength = 4 + bytes.readUInt32BE(headerLength);
    const twice = Buffer.concat([bytes, bytes.subarray(headerLength + singlesLength)]);
    expect(() => decodeSnapshot([twice])).toThrow(expect.objectContaining({ field: "vms[1]" }));
  });

  test("another version is refused by it", () => {
    const bytes = Buffer.from(VERSION_4, "hex");
    const version = 4 + 1 + 1 + "blixard-cluster".length;
    expect(bytes[version]).toBe(4);
    bytes[version] = 5;
    expect(() => decodeSnapshot([bytes])).toThrow(expect.objectContaining({ field: "header.version", limit: 4 }));
  });
});

function entryOf(index: number, original: CommandRequest): CommandEntry {
  return { index, term: 1, data: stampRequest(encodeRequest(original), { wallMs: index, proposer: 1 }) };
}

function create(index: number, name: string): CommandEntry {
  return entryOf(index, { session: null, command: { kind: "createVm", name, spec: vmSpec() } });
}
