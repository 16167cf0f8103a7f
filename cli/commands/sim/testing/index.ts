/** For tests: reports written by hand. */
import type { RunReport } from "../../../../runtime-sim/index.ts";

export const holdingReport: RunReport = {
  scenario: "byzantine",
  seed: 12345,
  ok: true,
  traceHash: "0123456789abcdef",
  nodes: 5,
  virtualMs: 180_000,
  events: 182_340,
  elections: 7,
  commits: 1204,
  operations: {
    ok: 1100,
    refused: 12,
    unknown: 9,
    writes: { count: 812, p50Ms: 12.4, p99Ms: 452, maxMs: 2104 },
    reads: { count: 0, p50Ms: 0, p99Ms: 0, maxMs: 0 },
    asked: { createVm: 1121 },
    refusals: { noLeader: 2, vmExists: 10 },
  },
  messages: { sent: 91_004, delivered: 88_100, lost: 2804, duplicated: 100, asBytes: 17_001 },
  faults: { crash: 3, isolateOne: 12 },
  oracles: { electionSafety: 182_340, logMatching: 40_112 },
  requests: {},
  refusals: { vmExists: 10 },
  shown: {},
  verdicts: [
    { act: "twoVotes", count: 3, expected: "failStop", seen: "failStop", ok: true, led: true, noticed: 2, believed: 1 },
    {
      act: "corruptMessage",
      count: 1200,
      expected: "inert",
      seen: "evicted",
      ok: false,
      led: false,
      noticed: 4,
      believed: 0,
    },
  ],
  evidence: { doubleVote: 3 },
  marks: {},
  violations: [],
  expectedUntil: null,
  excused: null,
  interrupted: false,
};

export const violatedReport: RunReport = {
  ...holdingReport,
  ok: false,
  verdicts: [],
  evidence: {},
  faults: {},
  violations: [
    {
      oracle: "electionSafety",
      event: 18_234,
      atMs: 12_345.6,
      message: "two leaders in term 5\nnode 1, elected by 1 2 3\nnode 4, elected by 3 4 5",
      replay: "npm run sim -- --seed 12345 byzantine",
    },
  ],
};
