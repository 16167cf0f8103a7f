import { describe, expect, test } from "vitest";
import { DEFAULT_RAFT_OPTIONS } from "../../core/index.ts";
import { availability } from "./availability.ts";
import { configurationOf, configure, FakeCluster, lead } from "./testing/index.ts";

const TIMEOUT_MS = DEFAULT_RAFT_OPTIONS.electionTimeoutMs;
const CLEAR_MS = 10 * TIMEOUT_MS;
const FAIR_MS = 20 * TIMEOUT_MS;

function cluster(count: number, liars: readonly number[] = []): FakeCluster {
  return new FakeCluster(count, [availability], liars);
}

/** Lets time pass; the last member that is up makes a step now and then. */
function pass(made: FakeCluster, ms: number): void {
  for (const endMs = made.nowMs + ms; made.nowMs < endMs; ) {
    made.nowMs += TIMEOUT_MS / 4;
    const someone = made.members.findLast(({ node }) => node !== null);
    if (someone !== undefined) made.step(someone.id, () => {});
  }
}

/** Member 1 leads, and these follow it. */
function follow(made: FakeCluster, followers: readonly number[]): void {
  made.step(1, lead(1));
  for (const id of followers) made.step(id, (node) => Object.assign(node, { term: 1, leaderId: 1 }));
}

function cut(made: FakeCluster, from: number, to: number): void {
  made.conditions.setLink(from, to, { isBlocked: true });
}

describe("all is sound, and", () => {
  test("nobody leads", () => {
    const made = cluster(3);
    pass(made, CLEAR_MS - TIMEOUT_MS);
    expect(made.violations).toEqual([]);
    expect(made.oracle("availability").checks).toBeGreaterThan(0);
    pass(made, 2 * TIMEOUT_MS);
    expect(made.violations[0]).toMatch(/^availability: nothing was committed.*members 1, 2 are sound/);
  });

  test("a quorum follows a leader with nothing to commit", () => {
    const made = cluster(3);
    follow(made, [2]);
    pass(made, 2 * CLEAR_MS);
    expect(made.violations).toEqual([]);
    expect(made.oracle("availability").checks).toBe(0);
  });

  test("too few follow the leader", () => {
    const made = cluster(5);
    follow(made, [2]);
    pass(made, 2 * CLEAR_MS);
    expect(made.violations.length).toBeGreaterThan(0);
  });

  test("the leader commits nothing of what it has", () => {
    const made = cluster(3);
    follow(made, [2, 3]);
    made.step(1, (node) => node.log.append(1));
    pass(made, 2 * CLEAR_MS);
    expect(made.violations.length).toBeGreaterThan(0);
  });

  test("a lone member has stood still, and nobody else made a step meanwhile", () => {
    const made = cluster(1);
    made.step(1, lead(1));
    made.step(1, (node) => node.log.append(1));
    pass(made, TIMEOUT_MS);
    made.conditions.setHost(1, { hamperedUntilUs: Infinity });
    made.nowMs += 2 * CLEAR_MS;
    made.conditions.setHost(1, {});
    pass(made, TIMEOUT_MS);
    expect(made.violations).toEqual([]);
  });

  test("the leader goes on committing some of what it has", () => {
    const made = cluster(3);
    follow(made, [2, 3]);
    for (let round = 0; round < 10; round++) {
      made.step(1, (node) => {
        node.log.append(1, 1);
        node.commitIndex += 1;
      });
      pass(made, CLEAR_MS / 2);
    }
    expect(made.violations).toEqual([]);
  });
});

/** Nobody leads for a long time: whether that is a violation, after `change`. */
function demands(change: (made: FakeCluster) => void, count = 3): boolean {
  const made = cluster(count);
  change(made);
  pass(made, 2 * FAIR_MS);
  return made.violations.length > 0;
}

describe("serving is demanded", () => {
  test("of a quorum, however bad the others are", () => {
    expect(demands((made) => made.crash(3))).toBe(true);
    expect(demands((made) => made.conditions.setHost(3, { hamperedUntilUs: Infinity }))).toBe(true);
    expect(demands((made) => cut(made, 1, 3))).toBe(true);
  });

  test("not without a quorum", () => {
    const lost = (made: FakeCluster): void => {
      made.crash(2);
      made.crash(3);
    };
    expect(demands(lost)).toBe(false);
  });

  test("not of members that are hampered or have stopped themselves", () => {
    const hampered = (id: number) => (made: FakeCluster) => {
      made.crash(3);
      made.conditions.setHost(id, { hamperedUntilUs: Infinity });
    };
    expect(demands(hampered(1))).toBe(false);
    expect(
      demands((made) => {
        made.crash(3);
        made.step(1, (node) => Object.assign(node, { halted: true }), [{ kind: "halt", reason: "", evidence: null }]);
      }),
    ).toBe(false);
  });

  test("not where links are cut, one way or both", () => {
    const one = (made: FakeCluster): void => {
      made.crash(3);
      cut(made, 1, 2);
    };
    expect(demands(one)).toBe(false);
    // Each hears a majority, but no three of five hear each other.
    const ring = (made: FakeCluster): void => {
      for (const [a, b] of [
        [1, 3],
        [2, 4],
        [3, 5],
        [4, 1],
        [5, 2],
      ] as const) {
        cut(made, a, b);
        cut(made, b, a);
      }
    };
    expect(demands(ring, 5)).toBe(false);
  });

  test("not where links are late, limited, or lose too much", () => {
    const link = (condition: Parameters<FakeCluster["conditions"]["setLink"]>[2]) => (made: FakeCluster) => {
      made.crash(3);
      made.conditions.setLink(1, 2, condition);
    };
    expect(demands(link({ delayMinMs: TIMEOUT_MS / 5 }))).toBe(false);
    expect(demands(link({ tailChance: 0.01, tailFactor: 10_000 }))).toBe(false);
    expect(demands(link({ hasLimit: true }))).toBe(false);
    expect(demands(link({ lossChance: 0.2 }))).toBe(false);
    expect(demands(link({ lossChance: 0.03, damageChance: 0.03 }))).toBe(false);
    expect(demands(link({ lossChance: 0.03 }))).toBe(true);
  });

  test("later where links lose more", () => {
    const made = cluster(3);
    made.crash(3);
    made.conditions.setLink(1, 2, { lossChance: 0.03 });
    pass(made, FAIR_MS - TIMEOUT_MS);
    expect(made.violations).toEqual([]);
    pass(made, 2 * TIMEOUT_MS);
    expect(made.violations.length).toBeGreaterThan(0);
  });

  test("again once the bound has passed since the last trouble", () => {
    const made = cluster(3);
    made.crash(3);
    for (let round = 0; round < 5; round++) {
      pass(made, CLEAR_MS - TIMEOUT_MS);
      made.conditions.setHost(1, { clockChanges: round + 1 });
    }
    expect(made.violations).toEqual([]);
    pass(made, CLEAR_MS + TIMEOUT_MS);
    expect(made.violations.length).toBeGreaterThan(0);
  });

  test("once a clog has ended by itself", () => {
    const made = cluster(3);
    made.crash(3);
    made.conditions.setLink(1, 2, { cloggedUntilUs: 1000 * CLEAR_MS });
    pass(made, 2 * CLEAR_MS - TIMEOUT_MS);
    expect(made.violations).toEqual([]);
    pass(made, 2 * TIMEOUT_MS);
    expect(made.violations.length).toBeGreaterThan(0);
  });

  test("not of a quorum of one configuration alone while another is in force", () => {
    const joint = (made: FakeCluster): void => {
      made.step(1, configure(1, configurationOf([1, 2, 3], [3, 4, 5])));
      for (const id of [4, 5]) made.crash(id);
    };
    expect(demands(joint, 5)).toBe(false);
  });

  test("not where a member lies", () => {
    const made = cluster(3, [3]);
    pass(made, 2 * FAIR_MS);
    expect(made.violations).toEqual([]);
  });

  test("not once faults have ended: the quiet phase has its own bound", () => {
    const made = cluster(3);
    made.oracles.quiet();
    pass(made, 2 * FAIR_MS);
    expect(made.violations).toEqual([]);
  });
});
