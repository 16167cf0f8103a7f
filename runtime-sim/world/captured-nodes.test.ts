/**
 * A node's whole state is a value: whenever it is captured, a node that is restored from it answers whatever follows
 * as the captured one does. Nodes of simulated clusters get twins in the middle of their work, some through bytes and
 * some in the same memory; each input goes to both, and what they want done must be equal, step by step.
 */
import { Session } from "node:inspector";
import { isDeepStrictEqual } from "node:util";
import { afterEach, expect, test, vi } from "vitest";
import {
  DEFAULT_RAFT_OPTIONS,
  decodeNodeState,
  type Effect,
  encodeNodeState,
  isJoint,
  Node,
  type NodeState,
  type RaftOptions,
  type Runtime,
} from "../../core/index.ts";
import { CALM_FLEET } from "../fleet/index.ts";
import { type Stream, Streams } from "../random/index.ts";
import { Run } from "../run/index.ts";
import { CALM_NETWORK, type Scenario, scenario } from "../scenario/index.ts";
import { NO_CLIENTS, STEADY_WORKLOAD } from "../workload/index.ts";
import { Members } from "./members.ts";

/** Steps for which a twin goes on before its state is compared and another takes its place. */
const STEPS_OF_TWIN: readonly [number, number] = [10, 400];

/** Fields of classes that a restored node may have otherwise, and why. */
const MADE_ANEW: ReadonlyMap<string, string> = new Map([
  ["Node.#runtime", "is the world's"],
  ["RaftState.environment", "is the world's"],
  ["RaftLog.#environment", "is the world's"],
  ["Node.lastApplied", "is for whoever looks on, until the next step"],
  ["SnapshotTaker.#encoding.source", "is a generator, which has gone as far"],
  ["Deadlines.#entries", "is read by key alone"],
  ["Room.#context", "reads the state"],
  ["BlockedGroups.#full", "reads the state"],
  ["BlockedGroups.#fullIn", "reads the state"],
  ["PlacementIndex.#tree", "chooses alike however it has grown"],
  ["PlacementIndex.#newcomers", "are those that the tree does not hold"],
  ["PlacementIndex.#candidates", "follow from the state"],
]);

/** Looks into objects, where `#` hides fields, by the engine's inspector. */
class Fields {
  readonly #session = new Session();
  readonly #taken: unknown[] = [];

  constructor() {
    this.#session.connect();
  }

  end(): void {
    this.#session.disconnect();
  }

  /** All own fields of an instance of a class, by name. */
  of(instance: object): ReadonlyMap<string, unknown> {
    const fields = new Map<string, unknown>(Object.entries(instance));
    Reflect.set(globalThis, "inspected", instance);
    Reflect.set(globalThis, "taken", this.#taken);
    this.#session.post("Runtime.evaluate", { expression: "inspected" }, (_, { result: { objectId = "" } }) => {
      this.#session.post("Runtime.getProperties", { objectId, ownProperties: true }, (_, properties) => {
        const hidden: unknown = Reflect.get(properties, "privateProperties");
        if (!Array.isArray(hidden)) return;
        for (const { name, value } of hidden) if (value !== undefined) fields.set(name, this.#valueOf(value));
      });
    });
    return fields;
  }

  #valueOf(remote: { objectId?: string; unserializableValue?: string; value?: unknown }): unknown {
    const { objectId, unserializableValue, value } = remote;
    if (unserializableValue !== undefined) return unserializableValue;
    if (objectId === undefined) return value;
    const functionDeclaration = "function () { taken.push(this); }";
    this.#session.post("Runtime.callFunctionOn", { objectId, functionDeclaration }, () => {});
    return this.#taken.pop();
  }
}

/** Compares two graphs, hidden fields included, and notes where they differ. */
class Comparison {
  readonly differences: string[] = [];
  readonly exempted: Set<string>;
  compared = 0;
  readonly #fields: Fields;
  readonly #pairs = new Map<object, object>();

  constructor(fields: Fields, exempted: Set<string>) {
    this.#fields = fields;
    this.exempted = exempted;
  }

  compare(a: unknown, b: unknown, path: string): void {
    if (Object.is(a, b) || (typeof a === "function" && typeof b === "function")) return;
    if (MADE_ANEW.has(path)) {
      this.exempted.add(path);
      return;
    }
    if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) {
      this.differences.push(path);
      return;
    }
    const known = this.#pairs.get(a);
    if (known !== undefined) {
      // What was one object is one object again.
      if (known !== b) this.differences.push(`${path} is another object`);
      return;
    }
    this.#pairs.set(a, b);
    this.compared += 1;
    if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) this.differences.push(`${path} is of another kind`);
    else if (a instanceof Map && b instanceof Map) this.#list([...a].flat(), [...b].flat(), path);
    else if (a instanceof Set && b instanceof Set) this.#list([...a], [...b], path);
    else if (Array.isArray(a) && Array.isArray(b)) this.#list(a, b, path);
    else if (ArrayBuffer.isView(a)) {
      if (!isDeepStrictEqual(a, b)) this.differences.push(path);
    } else if (Object.getPrototypeOf(a) === Object.prototype) {
      this.#record(new Map(Object.entries(a)), new Map(Object.entries(b)), path);
    } else {
      this.#record(this.#fields.of(a), this.#fields.of(b), a.constructor.name);
    }
  }

  #list(a: readonly unknown[], b: readonly unknown[], path: string): void {
    if (a.length !== b.length) this.differences.push(`${path} has another length`);
    else for (const [at, item] of a.entries()) this.compare(item, b[at], path);
  }

  #record(a: ReadonlyMap<string, unknown>, b: ReadonlyMap<string, unknown>, path: string): void {
    if (!isDeepStrictEqual([...a.keys()], [...b.keys()])) this.differences.push(`${path} has other fields`);
    for (const [name, value] of a) this.compare(value, b.get(name), `${path}.${name}`);
  }
}

/** All of these are captured at least once in these runs. */
const DOINGS = [
  "follows",
  "campaigns",
  "leads",
  "is part of a joint configuration",
  "hands leadership over",
  "has endorsements of a joint configuration",
  "has evidence against a member",
  "ignores a member",
  "sends a snapshot",
  "receives a snapshot",
  "takes a snapshot",
  "has writes under way",
  "waits for reads",
  "has a batch",
  "has clients that wait",
  "waits for entries",
  "has forwarded",
  "has workers that wait",
  "has VMs that wait",
  "has placements in flight",
  "drains a worker",
  "recovers a VM",
] as const;
type Doing = (typeof DOINGS)[number];

interface Twin {
  readonly node: Node;
  stepsLeft: number;
}

interface Watched {
  readonly runtime: Runtime;
  /** What the node has drawn and its twin has not. */
  readonly draws: number[];
  twin: Twin | null;
}

class Twins {
  restored = 0;
  steps = 0;
  effects = 0;
  /** What the nodes were doing when they got their twins. */
  readonly seen = new Set<string>();
  readonly differences: string[] = [];
  readonly exempted = new Set<string>();
  readonly #fields = new Fields();
  readonly #rng: Stream;
  readonly #options: RaftOptions;
  readonly #damage: (state: NodeState) => NodeState;
  readonly #watched = new WeakMap<Node, Watched>();
  #nextRuntime: { readonly runtime: Runtime; readonly draws: number[] } | null = null;

  constructor(seed: number, options: RaftOptions, damage = (state: NodeState) => state) {
    this.#damage = damage;
    this.#rng = new Streams(seed).stream("twins");
    this.#options = options;
    const twins = this;
    const { runtimeFor } = Members.prototype;
    vi.spyOn(Members.prototype, "runtimeFor").mockImplementation(function (this: Members, ...given) {
      return twins.#recorded(runtimeFor.apply(this, given));
    });
    const { start, step } = Node.prototype;
    vi.spyOn(Node.prototype, "start").mockImplementation(function (this: Node) {
      const effects = start.call(this);
      twins.#started(this);
      return effects;
    });
    vi.spyOn(Node.prototype, "step").mockImplementation(function (this: Node, input) {
      const watched = twins.#watched.get(this);
      if (watched === undefined) return step.call(this, input);
      watched.twin ??= twins.#twinOf(this, watched);
      const effects = step.call(this, input);
      twins.#compare(this, watched, watched.twin, step.call(watched.twin.node, input), effects, input.kind);
      return effects;
    });
  }

  end(): void {
    this.#fields.end();
  }

  #recorded(runtime: Runtime): Runtime {
    const draws: number[] = [];
    const recorded = {
      ...runtime,
      randomUint32: () => {
        const drawn = runtime.randomUint32();
        draws.push(drawn);
        return drawn;
      },
    };
    this.#nextRuntime = { runtime, draws };
    return recorded;
  }

  #started(node: Node): void {
    if (this.#nextRuntime === null) throw new Error("a node starts without a runtime");
    this.#watched.set(node, { ...this.#nextRuntime, twin: null });
  }

  #twinOf(node: Node, { runtime, draws }: Watched): Twin {
    this.restored += 1;
    draws.length = 0;
    const captured = node.capture();
    this.#note(captured);
    const state = this.#rng.chance(0.5) ? captured : decodeNodeState(encodeNodeState(captured));
    const randomUint32 = (): number => draws.shift() ?? Number.NaN;
    const twin = Node.restore(this.#damage(state), this.#options, { ...runtime, randomUint32 });
    const comparison = new Comparison(this.#fields, this.exempted);
    comparison.compare(node, twin, "Node");
    for (const path of comparison.differences) this.differences.push(`not restored: ${path}`);
    return { node: twin, stepsLeft: this.#rng.integer(...STEPS_OF_TWIN) };
  }

  #note({ raft, batch, clients, reports, snapshots, applier }: NodeState): void {
    const progress = [...raft.leadership.progress.values()];
    const states: Record<Doing, boolean> = {
      follows: raft.role === "follower",
      campaigns: raft.role === "candidate" || raft.role === "preCandidate",
      leads: raft.role === "leader",
      "is part of a joint configuration": raft.roster.configurations.some(({ configuration }) =>
        isJoint(configuration),
      ),
      "hands leadership over": raft.leadership.transferring !== null,
      "has endorsements of a joint configuration": raft.leadership.endorsements.size > 0,
      "has evidence against a member": raft.admission.evidenceKeys.size > 0,
      "ignores a member": raft.admission.evicted.size > 0,
      "sends a snapshot": progress.some(({ transfer }) => transfer !== null),
      "receives a snapshot": raft.assembly !== null,
      "takes a snapshot": snapshots.encoding !== null,
      "has writes under way": raft.outbox.pendingWrites.length > 0,
      "waits for reads": raft.reads.pending.length > 0,
      "has a batch": batch.proposals.length > 0,
      "has clients that wait": clients.pending.byTicket.size > 0,
      "waits for entries": applier.awaited.size > 0,
      "has forwarded": [...clients.pending.byTicket.values()].some(({ forwarded }) => forwarded !== null),
      "has workers that wait": reports.waiting.length + reports.inRound.length + reports.passed.size > 0,
      "has VMs that wait": (reports.orchestrator?.placing.vms.priorities.size ?? 0) > 0,
      "has placements in flight": (reports.orchestrator?.proposals.inFlight.size ?? 0) > 0,
      "drains a worker": (reports.orchestrator?.draining.moving.size ?? 0) > 0,
      "recovers a VM": (reports.orchestrator?.recovery.length ?? 0) > 0,
    };
    for (const [name, holds] of Object.entries(states)) {
      if (holds) this.seen.add(name);
    }
  }

  #compare(
    node: Node,
    watched: Watched,
    twin: Twin,
    got: readonly Effect[],
    wanted: readonly Effect[],
    kind: string,
  ): void {
    this.steps += 1;
    this.effects += wanted.length;
    if (watched.draws.length > 0 || !isDeepStrictEqual(got, wanted))
      this.differences.push(`node ${node.id}, after ${kind}: other effects`);
    twin.stepsLeft -= 1;
    if (twin.stepsLeft > 0) return;
    if (!isDeepStrictEqual(twin.node.capture(), node.capture()))
      this.differences.push(`node ${node.id}, after ${kind}: another state`);
    watched.twin = null;
  }
}

const shapes: Record<string, Partial<Scenario>> = {
  "elections, transfers and lease reads": {
    nodes: [3, 5],
    spares: 1,
    raft: { electionTimeoutMs: 500, heartbeatMs: 50, leaseReads: true },
    network: { ...CALM_NETWORK, lossChance: [0, 0.05], duplicateChance: [0, 0.1], delayMeanMs: [1, 20] },
    workload: { ...STEADY_WORKLOAD, clients: [8, 8], arrivalsPerSecond: [80, 160], staleReads: 0.1, leaseReads: 0.4 },
    operator: { membershipEveryMs: [3000, 8000], transferEveryMs: [500, 2500], voters: [3, 7] },
    faults: [
      { kind: "isolate", everyMs: [1000, 4000], durationMs: [100, 2000], targets: ["leader", "follower"] },
      { kind: "crash", everyMs: [4000, 10_000], durationMs: [100, 2000], targets: ["leader", "follower"] },
      { kind: "disk-slow", everyMs: [3000, 10_000], durationMs: [1000, 5000], targets: ["any", "leader"] },
    ],
  },
  "members and snapshots": {
    nodes: [1, 3],
    spares: 3,
    raft: {
      snapshotAfterEntries: 30,
      snapshotEveryEntries: 20,
      snapshotTrailingEntries: 5,
      snapshotChunkBytes: 256,
      maxInflightMessages: 8,
      maxAppendBytes: 2048,
    },
    workload: { ...STEADY_WORKLOAD, clients: [6, 6], arrivalsPerSecond: [40, 80] },
    operator: { membershipEveryMs: [1000, 4000], transferEveryMs: [5000, 20_000], voters: [1, 7] },
    faults: [
      { kind: "crash", everyMs: [3000, 9000], durationMs: [500, 6000], targets: ["any", "follower", "leader"] },
      { kind: "isolate", everyMs: [4000, 10_000], durationMs: [1000, 6000], targets: ["any", "follower"] },
      { kind: "loss", everyMs: [5000, 15_000], durationMs: [1000, 5000], targets: ["all"] },
    ],
  },
  "a member that lies while voters change": {
    nodes: [5],
    spares: 2,
    // Messages take so long that a leader has some endorsements, and waits for others, for many steps.
    network: { ...CALM_NETWORK, delayMinMs: [40, 60], delayMeanMs: [10, 60] },
    operator: { membershipEveryMs: [500, 1500], transferEveryMs: [5000, 10_000], voters: [3, 7] },
    liar: { acts: ["fake-leader", "lying-acknowledgement"], chance: [0.3, 0.5] },
    faults: [{ kind: "isolate", everyMs: [5000, 15_000], durationMs: [500, 3000], targets: ["any", "leader"] }],
  },
  "a fleet that drains, preempts and recovers": {
    nodes: [3],
    byteLinksOneIn: 0,
    workload: NO_CLIENTS,
    fleet: {
      ...CALM_FLEET,
      workers: 6,
      vms: 25,
      vmsMax: 40,
      vmPriority: [0, 1000],
      healthShare: 0.5,
      recovery: { backoffMs: 500, backoffMaxMs: 5000, restartsMax: 2, resetAfterMs: 20_000 },
      askEveryMs: [300, 1000],
      wishes: { create: 6, delete: 3, resize: 1, stop: 1, start: 1, drain: 2, uncordon: 2, rebalance: 1 },
    },
    faults: [
      { kind: "crash", everyMs: [6000, 15_000], durationMs: [500, 4000], targets: ["leader", "any"] },
      { kind: "host-down", everyMs: [15_000, 30_000], durationMs: [5000, 20_000], targets: ["worker"] },
      { kind: "unhealthy-guests", everyMs: [5000, 15_000], durationMs: [3000, 10_000], targets: ["worker"] },
      { kind: "agent-crash", everyMs: [8000, 20_000], targets: ["worker"] },
    ],
  },
};

afterEach(() => {
  vi.restoreAllMocks();
});

const seen = new Set<string>();
const exempted = new Set<string>();

test.each(Object.entries(shapes).flatMap(([name, parts]) => [1, 2, 3].map((seed) => ({ name, parts, seed }))))(
  "a restored node goes on as the captured one: $name (seed $seed)",
  ({ parts, seed }) => {
    const shape = scenario({ name: "captured", summary: "One. Two.", ...parts });
    const twins = new Twins(seed, { ...DEFAULT_RAFT_OPTIONS, ...shape.raft });
    const run = new Run(shape, { seed, durationMs: 40_000, oracles: false });
    while (!run.advance(10_000));
    twins.end();
    for (const doing of twins.seen) seen.add(doing);
    for (const path of twins.exempted) exempted.add(path);
    expect(twins.differences.slice(0, 3)).toEqual([]);
    expect(twins.restored).toBeGreaterThan(20);
    expect(twins.effects).toBeGreaterThan(twins.steps / 2);
  },
);

test("in those runs nodes were captured in everything that they do", () => {
  expect(DOINGS.filter((doing) => !seen.has(doing))).toEqual([]);
  expect([...MADE_ANEW.keys()].filter((path) => !exempted.has(path))).toEqual([]);
});

test.each<[string, (state: NodeState) => NodeState]>([
  [
    "a ticket",
    (state) => ({ ...state, clients: { ...state.clients, pending: { ...state.clients.pending, nextTicket: 0 } } }),
  ],
  ["a deadline", (state) => ({ ...state, raft: { ...state.raft, electionDeadlineMs: 0 } })],
  [
    "the number of its next write",
    (state) => ({ ...state, raft: { ...state.raft, outbox: { ...state.raft.outbox, nextWriteId: 1 } } }),
  ],
])("a restored node that lacks %s is found out", (_, damage) => {
  const twins = new Twins(1, DEFAULT_RAFT_OPTIONS, damage);
  const run = new Run(scenario({ name: "captured", summary: "One. Two." }), {
    seed: 1,
    durationMs: 10_000,
    oracles: false,
  });
  while (!run.advance(10_000));
  expect(twins.differences.length).toBeGreaterThan(0);
});

test("a hidden field that was left out is found, and so is a copy of what was shared", () => {
  class Counter {
    #count: number;
    readonly #log: number[] = [];
    readonly again: readonly number[] = this.#log;

    constructor(count: number, isSplit: boolean) {
      this.#count = count;
      if (isSplit) this.#log = [...this.#log];
    }

    get count(): number {
      return this.#count + this.#log.length;
    }
  }
  const fields = new Fields();
  const found = (a: Counter, b: Counter): readonly string[] => {
    const comparison = new Comparison(fields, new Set());
    comparison.compare(a, b, "Counter");
    return comparison.differences;
  };
  expect(found(new Counter(1, false), new Counter(1, false))).toEqual([]);
  expect(found(new Counter(1, false), new Counter(2, false))).toEqual(["Counter.#count"]);
  expect(found(new Counter(1, false), new Counter(1, true))).toEqual(["Counter.#log is another object"]);
  fields.end();
});
