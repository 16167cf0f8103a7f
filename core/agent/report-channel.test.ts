/** Whom an agent asks, when, and whose answers it takes. */
import { describe, expect, test } from "vitest";
import { AgentHarness, wantedVm as vm } from "../testing/index.ts";
import { encodeDirective } from "./protocol.ts";
import { running, settled } from "./testing/index.ts";

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

describe("a server that has left", () => {
  function refused(harness: AgentHarness): number {
    harness.nowMs = harness.wakeAtMs;
    harness.step({ kind: "wake" });
    const { to, report } = harness.lastSent;
    harness.step({ kind: "answered", sequence: report.sequence, directive: null });
    return to;
  }

  function sentOn(harness: AgentHarness, voters: readonly number[]): number {
    harness.nowMs = harness.wakeAtMs;
    harness.step({ kind: "wake" });
    const { to, report } = harness.lastSent;
    const { workerId, bootId, sequence } = report;
    harness.deliver(harness.lastSent, { kind: "left", workerId, bootId, sequence, voters });
    return to;
  }

  test("names members that are asked too, after all that the worker knows, until one of them grants a lease", () => {
    const harness = settled();
    expect(sentOn(harness, [3, 4, 5])).toBe(1);
    expect(harness.agent.servers).toEqual([1, 2, 3, 4, 5]);
    expect([1, 2, 3].map(() => refused(harness))).toEqual([2, 3, 4]);
    harness.nowMs = harness.wakeAtMs;
    harness.step({ kind: "wake" });
    expect(harness.lastSent.to).toBe(5);
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
    expect(harness.agent.servers).toHaveLength(5);
    for (const known of [1, 2, 3]) expect(asked.filter((to) => to === known).length).toBeGreaterThanOrEqual(4);
  });

  test("is not asked ever more often", () => {
    const harness = settled();
    const fromMs = harness.nowMs;
    let count = 0;
    for (; harness.nowMs < fromMs + 60_000; count += 1) sentOn(harness, []);
    expect(count).toBeLessThan(100);
  });
});
