/**
 * A node's whole state is a value: whenever it is captured, a node that is restored from it answers whatever follows as
 * the captured one does. Nodes of simulated clusters get twins in the middle of their work, some through bytes and some
 * in the same memory; each input goes to both, and what they want done must be equal, step by step.
 */
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

/** All of these are captured at least once in these runs. */
const DOINGS = [
  "follows",
  "campaigns",
  "leads",
  "is part of a joint configuration",
  "hands leadership over",
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
  readonly #dice: Stream;
  readonly #options: RaftOptions;
  readonly #damage: (state: NodeState) => NodeState;
  readonly #watched = new WeakMap<Node, Watched>();
  #nextRuntime: { readonly runtime: Runtime; readonly draws: number[] } | null = null;

  constructor(seed: number, options: RaftOptions, damage = (state: NodeState) => state) {
    this.#damage = damage;
    this.#dice = new Streams(seed).stream("twins");
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
    const state = this.#dice.chance(0.5) ? captured : decodeNodeState(encodeNodeState(captured));
    const randomUint32 = (): number => draws.shift() ?? Number.NaN;
    const twin = Node.restore(this.#damage(state), this.#options, { ...runtime, randomUint32 });
    return { node: twin, stepsLeft: this.#dice.integer(...STEPS_OF_TWIN) };
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
    workload: { ...STEADY_WORKLOAD, clients: 8, thinkMeanMs: [30, 100], staleReads: 0.1, leaseReads: 0.4 },
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
    workload: { ...STEADY_WORKLOAD, clients: 6, thinkMeanMs: [40, 150] },
    operator: { membershipEveryMs: [1000, 4000], transferEveryMs: [5000, 20_000], voters: [1, 7] },
    faults: [
      { kind: "crash", everyMs: [3000, 9000], durationMs: [500, 6000], targets: ["any", "follower", "leader"] },
      { kind: "isolate", everyMs: [4000, 10_000], durationMs: [1000, 6000], targets: ["any", "follower"] },
      { kind: "loss", everyMs: [5000, 15_000], durationMs: [1000, 5000], targets: ["all"] },
    ],
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

test.each(Object.entries(shapes).flatMap(([name, parts]) => [1, 2, 3].map((seed) => ({ name, parts, seed }))))(
  "a restored node goes on as the captured one: $name (seed $seed)",
  ({ parts, seed }) => {
    const shape = scenario({ name: "captured", summary: "One. Two.", ...parts });
    const twins = new Twins(seed, { ...DEFAULT_RAFT_OPTIONS, ...shape.raft });
    const run = new Run(shape, { seed, durationMs: 40_000, oracles: false });
    while (!run.advance(10_000));
    for (const doing of twins.seen) seen.add(doing);
    expect(twins.differences.slice(0, 3)).toEqual([]);
    expect(twins.restored).toBeGreaterThan(20);
    expect(twins.effects).toBeGreaterThan(twins.steps / 2);
  },
);

test("in those runs nodes were captured in everything that they do", () => {
  expect(DOINGS.filter((doing) => !seen.has(doing))).toEqual([]);
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
