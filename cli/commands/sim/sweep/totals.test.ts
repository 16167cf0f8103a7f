import { expect, test } from "vitest";
import { plain } from "../../../output/index.ts";
import type { RunRequest } from "../request.ts";
import { holdingReport, violatedReport } from "../testing/index.ts";
import { progressBar, progressLine } from "./progress.ts";
import { type SweepResult, Totals, totalsLines } from "./totals.ts";

function request(scenario: string, seed: number): RunRequest {
  return { scenario, seed, nodes: 3, durationMs: null, faultsPath: null };
}

function sweepOf(changes: Partial<SweepResult> = {}): string {
  const totals = new Totals(["byzantine", "calm"]);
  totals.add(request("byzantine", 1), { report: holdingReport, wallMs: 400 });
  totals.add(request("calm", 1), { report: { ...holdingReport, faults: { pause: 2, crash: 1 } }, wallMs: 400 });
  totals.add(request("byzantine", 2), { report: violatedReport, wallMs: 400 });
  return totalsLines({ totals, planned: 3, ending: "complete", jobs: 2, wallMs: 700, ...changes }, plain).join("\n");
}

test("sums by scenario and of all, and each failed seed with its replay command", () => {
  expect(sweepOf()).toMatchInlineSnapshot(`
    "scenario   runs  failed  virtual time   events  elections  commits
    byzantine     2       1    6 min 00 s  364,680         14    2,408
    calm          1       0    3 min 00 s  182,340          7    1,204
    all           3       1    9 min 00 s  547,020         21    3,612

    commands refused (times)
      vmExists  30

    never refused for
      vmNotFound, generationMismatch, limitReached, tokenExists, tokenNotForJoining
      tokenRevoked, tokenNotFound, tokenExpired, tokenUsed, tokenForAnotherNode
      nodeIdTaken, peerIdTaken, nodeNotFound, workerNotFound, workerHasChanged
      vmHasChanged, vmIsBeingDeleted, vmIsNotPlaced, vmIsPlaced, doesNotFit
      quotaExceeded, tooManyRequests, poolExists, taskExists, taskNotFound
      taskHasChanged, poolNotFound, poolDisabled, poolOverlaps, poolInUse
      poolExhausted, tooSoon, noPoolWithTags, poolsDisabled, poolsExhausted
      workerRemoved, workerIsMember, workerIsOnline, workerInUse, sessionExpired
      sequenceTooOld, invalidCommand

    faults injected (times)
      crash        4
      isolateOne  12
      pause        2

    oracles (checks)
      electionSafety  547,020
      logMatching     120,336

    Byzantine acts (runs in which the liar led, an honest node had to notice, or believed it)
      act             runs   lies  led  had to be noticed  believed
      twoVotes           2      6    2                  2         2
      corruptMessage     2  2,400    0                  2         0

    3 runs in 700 ms with 2 jobs: 4.29 a second, 771 × as fast as real time

    violated byzantine seed 2: electionSafety at event 18,234: two leaders in term 5
      npm run sim -- --seed 2 --nodes 3 byzantine

    result  violated in 1 of 3 runs"
  `);
});

test("an act of a liar that never mattered, in so many runs that it cannot fail, fails the sweep", () => {
  const lying = (noticed: number): typeof holdingReport => ({
    ...holdingReport,
    verdicts: [
      { act: "silence", count: 9, expected: "inert", seen: "inert", ok: true, led: true, noticed, believed: 0 },
    ],
  });
  const totals = new Totals(["byzantine"]);
  for (let seed = 1; seed <= 19; seed += 1) totals.add(request("byzantine", seed), { report: lying(0), wallMs: 1 });
  expect(totals.idleActs).toEqual([]);
  totals.add(request("byzantine", 20), { report: lying(0), wallMs: 1 });
  expect(totals.idleActs).toEqual(["silence"]);
  const lines = totalsLines({ totals, planned: 20, ending: "complete", jobs: 1, wallMs: 5 }, plain);
  expect(lines).toContain("  act      runs  lies  led  had to be noticed  believed");
  expect(lines).toContain("  silence    20   180   20                  0         0");
  expect(lines.slice(-2)).toEqual([
    "cannot fail silence: no honest node had to notice it or believed it, in any run",
    "result  violated: 1 act cannot fail",
  ]);
  totals.add(request("byzantine", 21), { report: lying(1), wallMs: 1 });
  expect(totals.idleActs).toEqual([]);
});

test("a sweep that was cut short says how many runs it made", () => {
  expect(sweepOf({ planned: 2000, ending: "outOfTime" })).toContain("\nout of time: 3 of 2,000 runs made\n");
  expect(sweepOf({ planned: 2000, ending: "interrupted" })).toContain("\ninterrupted: 3 of 2,000 runs made\n");
});

test("what is expected to fail is listed, and no failure", () => {
  const totals = new Totals(["byzantine"]);
  const expected = { ...violatedReport, expectedUntil: "leaders are elected one at a time" };
  totals.add(request("byzantine", 1), { report: expected, wallMs: 400 });
  totals.add(request("byzantine", 2), { report: expected, wallMs: 400 });
  const lines = totalsLines({ totals, planned: 2, ending: "complete", jobs: 1, wallMs: 5 }, plain);
  expect(totals.failures).toEqual([]);
  expect(totals.sums.failed).toBe(0);
  expect(lines.join("\n")).toContain(
    "violated, as expected (runs)\n  byzantine  2  until leaders are elected one at a time\n",
  );
  expect(lines.at(-1)).toBe("result  holds");
});

test("one that made none still has a result", () => {
  const totals = new Totals(["calm"]);
  const lines = totalsLines({ totals, planned: 0, ending: "complete", jobs: 1, wallMs: 5 }, plain);
  expect(lines.at(-1)).toBe("result  holds");
});

test("progress", () => {
  expect(progressLine(0, 1000, 0, 0)).toBe("0/1,000 runs, 0 failed, 0.00 a second");
  expect(progressBar(250, 1000, 3, 10_000)).toBe(
    "[######..................] 250/1,000 runs, 3 failed, 25.0 a second, about 30.0 s left",
  );
  expect(progressBar(1000, 1000, 0, 40_000)).toContain("[########################] 1,000/1,000");
});
