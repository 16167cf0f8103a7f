import { describe, expect, test } from "vitest";
import { DEFAULT_RAFT_OPTIONS, type Effect } from "../../core/index.ts";
import { healthyLeader } from "./healthy-leader.ts";
import { configurationOf, configure, FakeCluster, lead } from "./testing/index.ts";

const SETTLED_MS = 4 * DEFAULT_RAFT_OPTIONS.electionTimeoutMs;

/** Member 1 of five leads term 1 for long enough, unless `change` is in its way. */
function settled(change: (made: FakeCluster) => void = () => {}, liars: readonly number[] = []): FakeCluster {
  const made = new FakeCluster(5, [healthyLeader], liars);
  made.step(1, lead(1));
  change(made);
  made.step(2, () => {});
  made.nowMs += SETTLED_MS;
  made.step(1, () => {});
  return made;
}

const stepDown = (made: FakeCluster): void => made.step(1, (node) => Object.assign(node, { role: "follower" }));

function enter(made: FakeCluster, id: number, term: number): void {
  made.step(id, (node) => Object.assign(node, { term, role: "candidate" }));
}

const ORDER: Effect = {
  kind: "send",
  to: "peer-2",
  message: { type: "timeoutNow", clusterId: "test", incarnation: 1, from: 1, to: 2, term: 1, transfer: "" },
};

describe("a settled leader", () => {
  test("is left alone, and campaigns beside it are counted", () => {
    const made = settled();
    made.step(4, (node) => Object.assign(node, { role: "preCandidate", term: 1 }));
    expect(made.violations).toEqual([]);
    expect(made.oracle("healthy-leader").checks).toBe(1);
  });

  test("gives up", () => {
    const made = settled();
    stepDown(made);
    expect(made.violations).toEqual([
      "healthy-leader: node 1 gives up term 1, which it led since event 1, 0.000000 s, although it is sound and connected both ways with nodes " +
        "1, 2, 3, 4, 5 since 4000 ms",
    ]);
  });

  test("is deposed by a later term", () => {
    const made = settled((cluster) => {
      cluster.conditions.setLink(1, 4, { isBlocked: true });
      cluster.conditions.setLink(4, 1, { isBlocked: true });
    });
    enter(made, 4, 2);
    expect(made.violations).toHaveLength(1);
    expect(made.violations[0]).toContain("node 4 enters term 2, although node 1 leads term 1");
  });

  test("has ordered a campaign", () => {
    const made = settled();
    made.step(1, () => {}, [ORDER]);
    enter(made, 2, 2);
    expect(made.violations).toEqual([]);
  });

  test("gives up because a final configuration without it is committed", () => {
    const made = settled((cluster) => cluster.step(1, configure(1, configurationOf([2, 3, 4]))));
    made.step(1, (node) => Object.assign(node, { role: "follower", commitIndex: 1 }));
    expect(made.violations).toEqual([]);
  });

  test.each([
    [[1], 0],
    [[1, 2], 1],
  ])("enters a later term itself, with the voters %j: %i violations", (voters, violations) => {
    const made = settled((cluster) => cluster.step(1, configure(1, configurationOf(voters))));
    made.step(1, (node) => Object.assign(node, { commitIndex: 1 }));
    enter(made, 1, 2);
    expect(made.violations).toHaveLength(violations);
  });

  test("gives up before that configuration is committed", () => {
    const made = settled((cluster) => cluster.step(1, configure(1, configurationOf([2, 3, 4]))));
    stepDown(made);
    expect(made.violations).toHaveLength(1);
  });
});

describe("a leader is not settled", () => {
  const afterwards = (change: (made: FakeCluster) => void, liars: readonly number[] = []): readonly string[] => {
    const made = settled(change, liars);
    stepDown(made);
    enter(made, 4, 2);
    return made.violations;
  };

  test("while it or too many others are hampered", () => {
    const hamper = (ids: readonly number[]) => (made: FakeCluster) => {
      for (const id of ids) made.conditions.setHost(id, { hamperedUntilUs: Infinity });
    };
    expect(afterwards(hamper([1]))).toEqual([]);
    expect(afterwards(hamper([2, 3, 5]))).toEqual([]);
    expect(afterwards(hamper([2, 3]))).not.toEqual([]);
  });

  test("while it cannot be heard, or cannot hear", () => {
    const cut = (links: readonly (readonly [number, number])[]) => (made: FakeCluster) => {
      for (const [from, to] of links) made.conditions.setLink(from, to, { isBlocked: true });
    };
    expect(
      afterwards(
        cut([
          [1, 2],
          [1, 3],
          [1, 5],
        ]),
      ),
    ).toEqual([]);
    expect(
      afterwards(
        cut([
          [2, 1],
          [3, 1],
          [5, 1],
        ]),
      ),
    ).toEqual([]);
    expect(
      afterwards(
        cut([
          [2, 1],
          [3, 1],
        ]),
      ),
    ).not.toEqual([]);
  });

  test("before the time has passed", () => {
    const made = new FakeCluster(3, [healthyLeader]);
    made.nowMs = 2 * SETTLED_MS;
    made.step(1, lead(1));
    made.nowMs += SETTLED_MS - 1;
    stepDown(made);
    expect(made.violations).toEqual([]);
  });

  test("where a member lies", () => {
    expect(afterwards(() => {}, [3])).toEqual([]);
  });
});

describe("a later term is excused", () => {
  const entered = (change: (made: FakeCluster) => void): readonly string[] => {
    const made = settled(change);
    enter(made, 4, 2);
    return made.violations;
  };

  test("of somebody who was paused, or whose clock was wrong", () => {
    expect(entered((made) => made.conditions.setHost(4, { hamperedUntilUs: Infinity }))).toEqual([]);
    expect(entered((made) => made.conditions.setHost(4, { clockChanges: 1 }))).not.toEqual([]);
    const made = settled();
    made.conditions.setHost(4, { clockChanges: 1 });
    enter(made, 4, 2);
    expect(made.violations).toEqual([]);
  });

  test("of somebody to whom messages were held back", () => {
    expect(entered((made) => made.conditions.setLink(2, 4, { cloggedUntilUs: 1000 * SETTLED_MS }))).toEqual([]);
    expect(entered((made) => made.conditions.setLink(2, 4, { isBlocked: true }))).not.toEqual([]);
  });

  test("a second member in a term that another has entered before is no news", () => {
    const made = settled((cluster) => cluster.conditions.setHost(4, { hamperedUntilUs: Infinity }));
    enter(made, 4, 2);
    enter(made, 5, 2);
    expect(made.violations).toEqual([]);
  });
});
