import { describe, expect, test } from "vitest";
import { FAULTS } from "../faults/index.ts";
import { parseFaultSchedule, scenario } from "../scenario/index.ts";
import type { TraceEvent, Transition } from "../trace/index.ts";
import type { RunReport } from "./report.ts";
import { Run, type RunOptions } from "./run.ts";

const stormy = scenario({
  name: "stormy",
  summary: "A bit of everything. For tests.",
  nodes: [3, 5],
  spares: 1,
  durationMs: 20_000,
  byteLinksOneIn: 3,
  operator: { membershipEveryMs: [5000, 10_000], transferEveryMs: [5000, 10_000], voters: [1, 7] },
  faults: FAULTS.map(({ name }) => ({ kind: name, odds: 0.4, everyMs: [4000, 15_000], durationMs: [200, 4000] })),
});

function completed(options: RunOptions, step = 10_000): RunReport {
  const run = new Run(stormy, options);
  while (!run.advance(step));
  return run.report();
}

describe("the same seed", () => {
  test.each([1, 2, 3, 4])("%d twice is the same run", (seed) => {
    expect(completed({ seed })).toEqual(completed({ seed }));
  });

  test("is the same run in steps of any size, watched or not, checked or not", () => {
    const { traceHash } = completed({ seed: 5 });
    expect(completed({ seed: 5 }, 1).traceHash).toBe(traceHash);
    expect(completed({ seed: 5, onTransition: () => {}, trace: () => {} }).traceHash).toBe(traceHash);
    expect(completed({ seed: 5, oracles: false }).traceHash).toBe(traceHash);
  });
});

test("different seeds are different runs", () => {
  const hashes = Array.from({ length: 8 }, (_, seed) => completed({ seed }).traceHash);
  expect(new Set(hashes).size).toBe(hashes.length);
});

describe("a fault schedule", () => {
  test.each([11, 12])("saved and replayed is the same run (%d)", (seed) => {
    const run = new Run(stormy, { seed });
    const saved: unknown = JSON.parse(JSON.stringify(run.schedule));
    const replayed = new Run(stormy, { seed, faults: parseFaultSchedule(saved) });
    while (!run.advance(10_000));
    while (!replayed.advance(10_000));
    expect(replayed.report()).toEqual(run.report());
    expect(replayed.schedule).toEqual(run.schedule);
  });

  test("with one fault taken out is another run, and the others happen at their times", () => {
    const { schedule } = new Run(stormy, { seed: 13 });
    const [first, ...others] = schedule.faults;
    const begun = (faults: typeof schedule.faults): number[] => {
      const times: number[] = [];
      const run = new Run(stormy, {
        seed: 13,
        faults: { ...schedule, faults },
        onTransition: ({ kind, atMs }) => {
          if (kind === "fault") times.push(atMs);
        },
      });
      while (!run.advance(10_000));
      return times;
    };
    expect(first).toBeDefined();
    const all = new Set(begun(schedule.faults));
    for (const atMs of begun(others)) expect(all.has(atMs) || others.some((fault) => fault.atMs === atMs)).toBe(true);
  });

  test("for fewer hosts than nodes is refused", () => {
    const { schedule } = new Run(stormy, { seed: 1, nodes: 3 });
    expect(() => new Run(stormy, { seed: 1, nodes: 7, faults: schedule })).toThrow(RangeError);
  });
});

describe("options", () => {
  test("nodes and duration override the scenario's", () => {
    const report = completed({ seed: 1, nodes: 4, durationMs: 3000 });
    expect(report.nodes).toBe(4);
    expect(report.virtualMs).toBeGreaterThan(3000);
    expect(report.virtualMs).toBeLessThan(3000 + stormy.livenessBoundMs + 1000);
  });

  test.each([0, 8, 2.5])("%d nodes are refused", (nodes) => {
    expect(() => new Run(stormy, { seed: 1, nodes })).toThrow(RangeError);
  });
});

describe("a report", () => {
  test("of a run that is not over says so", () => {
    const run = new Run(stormy, { seed: 1 });
    expect(run.progress).toBe(0);
    run.advance(1000);
    expect(run.progress).toBeGreaterThan(0);
    expect(run.report()).toMatchObject({ interrupted: true, ok: true, events: 1000 });
  });

  test("is plain JSON", () => {
    const report = completed({ seed: 2 });
    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
    expect(report.interrupted).toBe(false);
    expect(report.traceHash).toMatch(/^[0-9a-f]{16}$/);
  });

  test("counts what happened", () => {
    const report = completed({ seed: 3, durationMs: 60_000 });
    expect(report.elections).toBeGreaterThan(0);
    expect(report.commits).toBeGreaterThan(10);
    expect(report.operations.ok).toBeGreaterThan(10);
    expect(report.operations.writes.p50Ms).toBeGreaterThan(0);
    expect(report.messages.asBytes).toBeGreaterThan(0);
    expect(report.messages.sent).toBeGreaterThan(report.messages.delivered / 2);
    expect(Object.values(report.oracles).every((checks) => checks >= 0)).toBe(true);
    expect(Object.keys(report.oracles).length).toBeGreaterThan(5);
  });
});

test("transitions and trace events carry the numbers of their events, which only rise", () => {
  const transitions: Transition[] = [];
  const trace: TraceEvent[] = [];
  const report = completed({
    seed: 4,
    onTransition: (transition) => transitions.push(transition),
    trace: (event) => trace.push(event),
  });
  expect(trace.length).toBe(report.events);
  expect(trace.map(({ event }) => event)).toEqual(trace.map((_, at) => at + 1));
  expect(transitions.length).toBeGreaterThan(50);
  for (const [at, { event, atMs }] of transitions.entries()) {
    expect(event).toBeGreaterThanOrEqual(transitions[at - 1]?.event ?? 0);
    expect(atMs).toBeGreaterThanOrEqual(transitions[at - 1]?.atMs ?? 0);
  }
  expect(new Set(transitions.map(({ kind }) => kind)).size).toBeGreaterThan(8);
});

test("a cluster that lost its quorum is excused, with the proof", () => {
  const { schedule } = new Run(stormy, { seed: 1, nodes: 3 });
  const doomed = { ...stormy, mayLoseQuorum: true, operator: { ...stormy.operator, membershipEveryMs: null } };
  const faults = [1, 2].map((host) => ({
    id: host,
    atMs: 5000,
    kind: "wipe-disk",
    durationMs: 100_000,
    target: [host],
    parameters: {},
  }));
  const run = new Run(doomed, { seed: 1, nodes: 3, faults: { ...schedule, faults } });
  while (!run.advance(10_000));
  const report = run.report();
  expect(report.violations).toEqual([]);
  expect(report.excused).toMatch(/^no quorum is left of 1, 2, 3: node 1 lost its disk; node 2 lost its disk$/);
});

test("a caller that gives a run up ends it as a runaway, a few events later or at once", () => {
  const run = new Run(stormy, { seed: 23 });
  expect(run.advance(1000)).toBe(false);
  run.giveUp("nobody waits any longer", false);
  while (!run.advance(1000));
  const message = expect.stringMatching(/^nobody waits any longer\nof the next 2000 events:\n\d+ % /);
  expect(run.report()).toMatchObject({ ok: false, interrupted: false, violations: [{ oracle: "runaway", message }] });

  const ended = new Run(stormy, { seed: 23 });
  ended.giveUp("nobody waits any longer", true);
  expect(ended.advance(1)).toBe(true);
  expect(ended.report().violations).toMatchObject([{ oracle: "runaway", event: 0 }]);
});
