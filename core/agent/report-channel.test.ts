/** Whom an agent asks, when, and whose answers it takes. */
import { describe, expect, test } from "vitest";
import { CLUSTER_LIMITS } from "../domain/index.ts";
import { AgentHarness, type Sent, wantedVm as vm } from "../testing/index.ts";
import { encodeDirective } from "./protocol.ts";
import { running, settled } from "./testing/index.ts";

const FALSE_VOTERS = [101, 102, 103, 104, 105, 106, 107];

describe("answers", () => {
  test.each([
    ["another worker's", { workerId: 8 }],
    ["a former process's", { bootId: 999 }],
    ["another report's", { sequence: 999 }],
  ])("%s is not taken for its own", (_, fields) => {
    const harness = new AgentHarness();
    harness.look();
    harness.wants([vm("web", 5, "run")]);
    const { report } = harness.lastSent;
    const directive = { ...harness.directiveFor(harness.lastSent), ...fields };
    harness.step({ kind: "answered", sequence: report.sequence, directive: encodeDirective(directive) });
    expect(harness.acts).toEqual([]);
    expect(harness.agent.holdsLease).toBe(false);
  });

  test("nothing, and what is damaged, makes it ask another server", () => {
    const harness = settled();
    const asked: number[] = [];
    for (const directive of [null, new Uint8Array([1, 2, 3]), null]) {
      harness.nowMs += 1000;
      harness.step({ kind: "wake" });
      asked.push(harness.lastSent.to);
      harness.step({ kind: "answered", sequence: harness.lastSent.report.sequence, directive });
    }
    // And so does silence.
    harness.nowMs += 1000;
    harness.step({ kind: "wake" });
    asked.push(harness.lastSent.to);
    harness.nowMs += 1000;
    harness.step({ kind: "wake" });
    asked.push(harness.lastSent.to);
    expect(asked).toEqual([1, 2, 3, 1, 2]);
  });

  test("while nobody answers it asks less and less often, however much it has to tell", () => {
    const harness = running();
    harness.put("web", 5, "failed");
    harness.look();
    let count = 0;
    for (const untilMs = harness.nowMs + 60_000; harness.nowMs < untilMs; count++) {
      harness.nowMs = Math.max(harness.nowMs + 1, harness.wakeAtMs);
      harness.step({ kind: "wake" });
      harness.step({ kind: "answered", sequence: harness.lastSent.report.sequence, directive: null });
    }
    expect(count).toBeLessThan(100);
  });

  test("a report that nobody took is soon made again while there is a lease to keep, and seldom after", () => {
    const harness = settled();
    harness.nowMs += 1000;
    harness.step({ kind: "wake" });
    const refusedUntil = (untilMs: number): number => {
      let count = 0;
      for (; harness.nowMs < untilMs; count++) {
        harness.step({ kind: "answered", sequence: harness.lastSent.report.sequence, directive: null });
        harness.nowMs = harness.wakeAtMs;
        harness.step({ kind: "wake" });
      }
      return count;
    };
    const { leaseUntilMs } = harness.agent;
    const leftMs = leaseUntilMs - harness.nowMs;
    expect(refusedUntil(leaseUntilMs)).toBe(leftMs / 250);
    expect(refusedUntil(leaseUntilMs + 10_000)).toBeLessThanOrEqual(11);
  });

  test("told to register, it says what its host is, until the cluster has it", () => {
    const harness = settled();
    harness.nowMs += 1000;
    harness.step({ kind: "wake" });
    expect(harness.lastSent.report.facts).toBeNull();
    const { workerId, bootId, sequence } = harness.lastSent.report;
    harness.deliver(harness.lastSent, { kind: "register", workerId, bootId, sequence });
    harness.nowMs += 1000;
    harness.step({ kind: "wake" });
    expect(harness.lastSent.report.facts).not.toBeNull();
    expect(harness.lastSent.report.inventory).not.toBeNull();
  });

  test("told to register again and again, it asks less and less often", () => {
    const harness = settled();
    const gaps: number[] = [];
    for (let n = 0; n < 30; n += 1) {
      harness.nowMs = harness.wakeAtMs;
      const sentAtMs = harness.nowMs;
      harness.step({ kind: "wake" });
      const { workerId, bootId, sequence } = harness.lastSent.report;
      harness.deliver(harness.lastSent, { kind: "register", workerId, bootId, sequence });
      gaps.push(harness.wakeAtMs - sentAtMs);
    }
    expect(gaps.slice(0, 3)).toEqual([100, 150, 200]);
    expect(Math.max(...gaps)).toBe(1000);
    expect(gaps).toEqual([...gaps].sort((a, b) => a - b));
  });
});

/** Wakes it whenever it wants to be, until it has sent another report. */
function nextSent(harness: AgentHarness): Sent {
  const before = harness.sent.length;
  while (harness.sent.length === before) {
    harness.nowMs = harness.wakeAtMs;
    harness.step({ kind: "wake" });
  }
  return harness.lastSent;
}

function refuse(harness: AgentHarness, { report }: Sent): void {
  harness.step({ kind: "answered", sequence: report.sequence, directive: null });
}

function sendOn(harness: AgentHarness, sent: Sent, voters: readonly number[]): void {
  const { workerId, bootId, sequence } = sent.report;
  harness.deliver(sent, { kind: "left", workerId, bootId, sequence, voters });
}

/** One that has just been told of these servers. */
function toldOf(servers: readonly number[]): AgentHarness {
  const harness = settled();
  nextSent(harness);
  harness.grant({ servers });
  return harness;
}

describe("a server that has left", () => {
  function refused(harness: AgentHarness): number {
    const sent = nextSent(harness);
    refuse(harness, sent);
    return sent.to;
  }

  function sentOn(harness: AgentHarness, voters: readonly number[]): number {
    const sent = nextSent(harness);
    sendOn(harness, sent, voters);
    return sent.to;
  }

  /** Whom it asks within that time, and when. `left`: who answers, and names whom. The others are silent. */
  function asked(
    harness: AgentHarness,
    left: Readonly<Record<number, readonly number[]>>,
    forMs: number,
  ): { readonly to: number; readonly atMs: number }[] {
    const asked: { readonly to: number; readonly atMs: number }[] = [];
    for (const endMs = harness.nowMs + forMs; harness.nowMs < endMs; ) {
      const sent = nextSent(harness);
      asked.push({ to: sent.to, atMs: sent.sentAtMs });
      const voters = left[sent.to];
      if (voters !== undefined) sendOn(harness, sent, voters);
    }
    return asked;
  }

  test("names members that are asked too, one after each round of all that the worker knows, until one grants", () => {
    const harness = settled();
    expect(sentOn(harness, [3, 4, 5])).toBe(1);
    expect(harness.agent.servers).toEqual([1, 2, 3, 4, 5]);
    expect([1, 2, 3, 4, 5, 6].map(() => refused(harness))).toEqual([2, 3, 4, 1, 2, 3]);
    expect(nextSent(harness).to).toBe(5);
    harness.grant({ servers: [4, 5, 6] });
    expect(harness.agent.servers).toEqual([4, 5, 6]);
    // The one that answered is asked again.
    expect(refused(harness)).toBe(5);
  });

  test("that lies grants nothing, keeps the worker from no server that it knows, and adds a few at most", () => {
    const harness = settled();
    const { leaseUntilMs } = harness.agent;
    const asked: number[] = [];
    for (let lie = 0; lie < 8; lie += 1)
      asked.push(sentOn(harness, [100 + 2 * lie, 101 + 2 * lie]), ...[1, 2].map(() => refused(harness)));
    expect(harness.agent.leaseUntilMs).toBe(leaseUntilMs);
    expect(harness.agent.servers).toHaveLength(3 + CLUSTER_LIMITS.voters);
    for (const known of [1, 2, 3]) expect(asked.filter((to) => to === known).length).toBeGreaterThanOrEqual(4);
  });

  test("that names seven false members costs one more time-out a round, and no more", () => {
    const sentMs = asked(toldOf([1, 2, 3]), { 1: FALSE_VOTERS }, 60_000).flatMap(({ to, atMs }) =>
      to === 2 ? [atMs] : [],
    );
    const rounds = sentMs.slice(1).map((atMs, at) => atMs - (sentMs[at] ?? 0));
    expect(rounds.length).toBeGreaterThan(10);
    // 2, 3 and one false voter are silent, for a second each; 1 answers at once, and the next report waits a second.
    expect(Math.max(...rounds)).toBeLessThanOrEqual(4000);
  });

  test.each([
    ["refuses", null],
    ["names seven false members", FALSE_VOTERS],
  ])("while another server follows a dead leader, one of three that %s does not cost the lease", (_, voters) => {
    // 1 has just granted, and leads no more; until another leads, 1 and 2 take reports that they cannot answer.
    const harness = toldOf([1, 2, 3]);
    const ledFromMs = harness.nowMs + 3000;
    for (;;) {
      const sent = nextSent(harness);
      expect(harness.agent.holdsLease).toBe(true);
      if (sent.to <= 2 && sent.sentAtMs >= ledFromMs) break;
      if (sent.to !== 3) continue;
      if (voters === null) refuse(harness, sent);
      else sendOn(harness, sent, voters);
    }
  });

  test.each([
    ["the only server, replaced twice", [1], { 1: [2], 2: [3] }, 3],
    ["three servers, replaced twice, of which one is up each time", [1, 2, 3], { 1: [4, 5], 4: [7, 8] }, 7],
    ["the same, and another of the last is up", [1, 2, 3], { 1: [4, 5], 4: [7, 8] }, 8],
    ["three servers, replaced twice, of which another is up", [1, 2, 3], { 1: [4, 5], 5: [7, 8] }, 7],
  ])("%s: the last are asked", (_, servers, left, last) => {
    expect(asked(toldOf(servers), left, 60_000).map(({ to }) => to)).toContain(last);
  });

  test("is not asked ever more often", () => {
    const harness = settled();
    const fromMs = harness.nowMs;
    let count = 0;
    for (; harness.nowMs < fromMs + 60_000; count += 1) sentOn(harness, []);
    expect(count).toBeLessThan(100);
  });
});
