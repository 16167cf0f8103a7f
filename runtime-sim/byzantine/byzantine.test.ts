/**
 * Each act's verdict over a few seeds, and that runs are reproducible with their liars. That judging can fail is in
 * `judge.test.ts`.
 */
import { expect, test } from "vitest";
import { CALM_FLEET } from "../fleet/index.ts";
import { Run, type RunOptions, type RunReport } from "../run/index.ts";
import { parseFaultSchedule, type Scenario, scenario } from "../scenario/index.ts";
import { IDLE_OPERATOR, NO_CLIENTS, STEADY_WORKLOAD } from "../workload/index.ts";
import { ACT_NAMES, type ActName, type Audience, verdictOf } from "./verdicts.ts";

/** There is somebody of each audience to lie to. */
const AUDIENCES: Readonly<Record<Audience, Partial<Scenario>>> = {
  members: {
    raft: { snapshotAfterEntries: 100, snapshotEveryEntries: 50, snapshotTrailingEntries: 20 },
    operator: { ...IDLE_OPERATOR, transferEveryMs: [2000, 4000] },
  },
  joiners: {
    nodes: [4],
    spares: 3,
    raft: { snapshotAfterEntries: 20, snapshotEveryEntries: 15, snapshotTrailingEntries: 5 },
    operator: { membershipEveryMs: [1000, 3000], transferEveryMs: [1500, 3000], voters: [3, 7] },
  },
  workers: {
    workload: NO_CLIENTS,
    livenessBoundMs: 120_000,
    fleet: { ...CALM_FLEET, workers: 4, vms: 8, vmsMax: 16 },
    operator: { ...IDLE_OPERATOR, transferEveryMs: [3000, 6000] },
    // A worker stays with the server that answers.
    faults: [{ kind: "isolate", everyMs: [3000, 6000], durationMs: [1500, 4000], targets: ["any"] }],
  },
  clients: {
    workload: { ...STEADY_WORKLOAD, clients: [3, 6], arrivalsPerSecond: [16, 32], asksLiars: true },
  },
};

function lying(act: ActName): Scenario {
  return scenario({
    name: "lying",
    summary: "One member lies. The others must bear it.",
    durationMs: 30_000,
    ...AUDIENCES[verdictOf(act).to],
    liar: { acts: [act], chance: [0.1, 0.3] },
  });
}

function ran(scenario: Scenario, options: RunOptions): RunReport {
  const run = new Run(scenario, options);
  while (!run.advance(100_000)) {
    // Until it is over.
  }
  return run.report();
}

/**
 * What is to be seen in at least one of the seeds: proof that the act was done where it mattered. Nothing where the
 * run decides.
 */
const SEEN: Readonly<Record<ActName, readonly string[]>> = {
  equivocation: ["evicted", "twoContents"],
  "rewrite-committed": ["fail-stop", "truncateCommitted"],
  "premature-commit": ["found by", "committed-on-quorum"],
  "two-votes": [],
  "fake-leader": ["evicted", "forgedCertificate"],
  "wrong-term": ["evicted", "forgedCertificate"],
  "term-rush": ["believed"],
  "corrupt-message": ["evicted", "malformedAppend"],
  replay: ["impersonation"],
  "identity-forgery": ["inert", "impersonation"],
  silence: ["believed"],
  "selective-silence": ["believed"],
  "lying-acknowledgement": ["evicted", "lyingAcknowledgement"],
  "unstored-acknowledgement": ["found by", "committed-on-quorum"],
  "forged-snapshot": ["forgedSnapshot", "forgedCertificate"],
  "consistent-forged-snapshot": ["found by"],
  "forged-join": ["inert", "forgedLineage", "impersonation"],
  "false-answer": ["inert"],
  "false-leader-answer": ["believed"],
  "joiner-introduction": ["inert", "forgedLineage"],
  "joiner-start": ["found by latest-configuration"],
  "joiner-snapshot": ["found by", "state-machine-safety"],
  "joiner-membership": ["believed"],
  "worker-lease": [],
  "worker-assignment": ["found by"],
  "worker-stale": ["believed"],
  "worker-removal": ["believed"],
  "worker-silence": ["believed"],
  "false-report": [],
  "client-read": ["found by", "linearizability"],
  "client-write": ["found by", "acknowledged-durable"],
  "client-refusal": ["found by linearizability"],
  "client-hint": ["believed"],
  "client-events": ["found by as-modelled"],
};

test.each(ACT_NAMES)("%s ends as the table says", (act) => {
  const seen: string[] = [];
  let told = 0;
  let mattered = 0;
  for (let seed = 1; seed <= 4; seed += 1) {
    const report = ran(lying(act), { seed });
    expect(report.violations).toEqual([]);
    const [verdict] = report.verdicts;
    expect(verdict).toMatchObject({ act, ok: true, expected: verdictOf(act).expected });
    told += verdict?.count ?? 0;
    mattered += (verdict?.noticed ?? 0) + (verdict?.believed ?? 0);
    seen.push(verdict?.seen ?? "");
  }
  expect(told).toBeGreaterThan(0);
  expect(mattered).toBeGreaterThan(0);
  for (const text of SEEN[act]) expect(seen.join("\n")).toContain(text);
});

test("a liar is part of the schedule: saved, parsed and replayed it lies alike", () => {
  const first = new Run(lying("fake-leader"), { seed: 3 });
  const faults = parseFaultSchedule(JSON.parse(JSON.stringify(first.schedule)));
  expect(faults).toEqual(first.schedule);
  const drawn = ran(lying("fake-leader"), { seed: 3 });
  const replayed = ran(lying("silence"), { seed: 3, faults });
  expect(replayed.traceHash).toBe(drawn.traceHash);
  expect(replayed.verdicts).toEqual(drawn.verdicts);
});

test("a liar may be one that joins: it lies from then on, and in a replay as well", () => {
  const joining: Scenario = { ...lying("joiner-introduction"), liar: { acts: ["silence"], chance: [1, 1], joins: 1 } };
  let told = 0;
  for (let seed = 1; seed <= 4; seed += 1) {
    const first = new Run(joining, { seed });
    expect(first.schedule.liar?.host).toBeGreaterThan(4);
    const faults = parseFaultSchedule(JSON.parse(JSON.stringify(first.schedule)));
    const report = ran(joining, { seed, faults });
    expect(report.violations).toEqual([]);
    told += report.verdicts[0]?.count ?? 0;
  }
  expect(told).toBeGreaterThan(0);
});

test("a liar that never joins is not judged", () => {
  const idle = { ...lying("silence"), spares: 1, liar: { acts: ["silence"], chance: [1, 1], joins: 1 } } as const;
  expect(ran({ ...idle, durationMs: 2000 }, { seed: 1 })).toMatchObject({ ok: true, verdicts: [] });
});

test("without a liar nothing is judged", () => {
  const { verdicts, oracles } = ran({ ...lying("silence"), liar: null, durationMs: 2000 }, { seed: 1 });
  expect(verdicts).toEqual([]);
  expect(oracles).not.toHaveProperty("byzantine-verdict");
});

test("the liar is silent once the faults have ended, and the others live on", () => {
  const report = ran(lying("silence"), { seed: 2 });
  expect(report).toMatchObject({ ok: true, excused: null });
});
