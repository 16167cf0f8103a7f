import { describe, expect, test } from "vitest";
import { DEFAULT_COUNT_LIMITS, DEFAULT_RAFT_OPTIONS, type Node } from "../../core/index.ts";
import { CALM_NETWORK, drawSchedule, scenario } from "../scenario/index.ts";
import { STEADY_WORKLOAD, Workload } from "../workload/index.ts";
import { World } from "../world/index.ts";
import { DEAF_LISTENER } from "../world/testing/index.ts";
import { AtRest, type Holder } from "./at-rest.ts";

const SCENARIO = scenario({
  name: "at-rest",
  summary: "Some clients work. Then nobody does.",
  network: CALM_NETWORK,
  workload: { ...STEADY_WORKLOAD, arrivalsPerSecond: [500, 500] },
});

/** Three real nodes after some seconds of work, and some of rest. */
function nodes(): readonly Node[] {
  const { base } = drawSchedule(SCENARIO, { seed: 1, nodes: 3, durationMs: null });
  const world = new World(
    { seed: 1, base, raft: DEFAULT_RAFT_OPTIONS, limits: DEFAULT_COUNT_LIMITS, nodes: 3, workers: 0, liar: null },
    DEAF_LISTENER,
    () => null,
  );
  const workload = new Workload(world, SCENARIO.workload, { invoked() {}, completed() {} });
  while (world.advance(3_000_000));
  workload.quiet();
  while (world.advance(6_000_000));
  return world.members.all.map(({ node }) => node ?? expect.unreachable());
}

type Held = ReturnType<Holder["capture"]>;

/** The same node, of which something else is shown. */
function showing(node: Node, change: (held: Held) => Held): Holder {
  return { id: node.id, capture: () => change(node.capture()) };
}

const rest = nodes();
const leader = rest.find((node) => node.role === "leader") ?? expect.unreachable();
const follower = rest.find((node) => node !== leader) ?? expect.unreachable();

function reasonOf(node: Node, change: (held: Held) => Held): string | null {
  return new AtRest().whyNot(rest.map((each) => (each === node ? showing(each, change) : each)));
}

/** What the leader knows of one follower, changed. */
function inFlight(change: Partial<Held["raft"]["leadership"]["progress"] extends Map<number, infer P> ? P : never>) {
  return (held: Held): Held => {
    const progress = new Map(held.raft.leadership.progress);
    const known = progress.get(follower.id) ?? expect.unreachable();
    progress.set(follower.id, { ...known, ...change });
    return { ...held, raft: { ...held.raft, leadership: { ...held.raft.leadership, progress } } };
  };
}

describe("nodes at rest", () => {
  test("hold nothing", () => {
    expect(new AtRest().whyNot(rest)).toBeNull();
  });

  test("hold nothing for a member that is down for good", () => {
    const others = rest.filter((node) => node !== follower);
    const atRest = new AtRest();
    expect(atRest.whyNot(others.map((node) => (node === leader ? showing(node, inFlight({ bytes: 7 })) : node)))).toBe(
      null,
    );
  });

  test("still hold something", () => {
    expect(
      reasonOf(leader, (held) => {
        const leadership = { ...held.raft.leadership, uncommittedBytes: 12 };
        return { ...held, raft: { ...held.raft, leadership } };
      }),
    ).toBe(`node ${leader.id} still holds uncommitted bytes: 12`);
    expect(reasonOf(leader, inFlight({ lastIndexes: [1, 2] }))).toBe(
      `node ${leader.id} still holds appends in flight to node ${follower.id}: 2`,
    );
    expect(reasonOf(leader, inFlight({ bytes: -3 }))).toContain("bytes in flight");
    expect(reasonOf(follower, (held) => ({ ...held, batch: { ...held.batch, bytes: 5 } }))).toContain(
      `node ${follower.id} still holds bytes of proposals`,
    );
    expect(reasonOf(follower, (held) => ({ ...held, clients: { ...held.clients, reads: new Set([1]) } }))).toContain(
      "reads that wait to be applied",
    );
    expect(
      reasonOf(leader, (held) => {
        const pending = [{ origin: { kind: "leadershipCheck" } as const, index: 1, round: 1 }];
        return { ...held, raft: { ...held.raft, reads: { ...held.raft.reads, pending } } };
      }),
    ).toContain("reads that wait for a round");
  });

  test("need not be empty of everything at once, but each at some time", () => {
    const atRest = new AtRest();
    let bytes = 5;
    let open = 0;
    const busy = showing(follower, (held) => ({
      ...held,
      batch: { ...held.batch, bytes },
      clients: { ...held.clients, reads: new Set(Array.from({ length: open }, (_, at) => at)) },
    }));
    expect(atRest.whyNot([leader, busy])).toContain("bytes of proposals");
    [bytes, open] = [0, 1];
    expect(atRest.whyNot([leader, busy])).toBeNull();
  });

  test("go on hearing reports, and keep none of them", () => {
    const atRest = new AtRest();
    const report = (requestId: number) => ({ requestId, to: leader.id, deadlineMs: 1000 });
    let passed = new Map([1, 2].map((nth) => [nth, report(nth)]));
    const busy = showing(follower, (held) => ({ ...held, reports: { ...held.reports, passed } }));
    const reason = (count: number) => `node ${follower.id} still holds reports that were passed on: ${count}`;
    expect(atRest.whyNot([leader, busy])).toBe(reason(2));
    passed = new Map([...passed, [3, report(3)]]);
    passed.delete(1);
    expect(atRest.whyNot([leader, busy])).toBe(reason(1));
    passed.delete(2);
    expect(atRest.whyNot([leader, busy])).toBeNull();
  });
});
