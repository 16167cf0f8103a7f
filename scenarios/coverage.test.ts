/**
 * Holds the runs of CI to the marks of the core: each is reached, or is listed here with the reason why it is not. A
 * new mark is therefore either reached at once or explained. One that is listed and reached all the same comes off
 * the list when somebody notices; only `IMPOSSIBLE` is held to its word.
 */
import { expect, test } from "vitest";
import { MARKS, type Mark } from "../core/index.ts";
import { Run } from "../runtime-sim/index.ts";
import { SCENARIOS } from "./index.ts";

const SEEDS = [42, 43, 44, 45];
const DURATION_MS = 30_000;

/** Reached by one run in fifty or fewer: more seeds reach them. */
const SELDOM: ReadonlySet<Mark> = new Set<Mark>([
  "admission/evicted-ignored",
  "agent/build-hangs",
  "agent/health-check-down",
  "agent/health-check-up-again",
  "agent/machine-of-a-later-run",
  "agent/server-has-left",
  "agent/stop-repeated-before-next-run",
  "certificate/by-former-configuration",
  "certificate/by-introduced-configuration",
  "certificate/unproven",
  "drain/stopped-vm",
  "evidence/forgedLineage",
  "evidence/impersonation",
  "introduction/asked",
  "lease/leader-ends-with-reports-waiting",
  "lease/read-lease-over",
  "lease/report-not-answered-without-quorum",
  "lease/report-to-a-server-that-left",
  "lease/report-while-being-lost",
  "membership/election-renewed",
  "membership/leader-left",
  "membership/refused-another-under-way",
  "membership/refused-before-first-commit",
  "membership/refused-learner-behind",
  "membership/refused-too-few-answer",
  "membership/refused-transfer-under-way",
  "placement/no-place-for-task",
  "preemption/many-victims",
  "preemption/nominated-worker-gone",
  "preemption/nomination-dropped",
  "preemption/victim-may-not-go",
  "recovery/deletion-completed-by-confirmed-death",
  "recovery/relocation",
  "refused/invalidCommand",
  "refused/limitReached",
  "refused/noPoolWithTags",
  "refused/poolExists",
  "refused/poolNotFound",
  "refused/tooManyRequests",
  "refused/tooSoon",
  "refused/vmHasChanged",
  "refused/vmIsNotPlaced",
  "refused/workerInUse",
  "refused/workerIsOnline",
  "refused/workerNotFound",
  "replication/append-from-compacted-part",
  "replication/append-uncertified",
  "request-refused/leaseReadsOff",
  "request-refused/membershipRefused",
  "request-refused/notLeader",
  "request-refused/requestTooLarge",
  "snapshot/chunks-resent",
  "snapshot/not-needed",
  "snapshot/put-off-in-joint-phase",
  "snapshot/rewound",
  "transfer/order-out-of-date",
  "unfit/excludedDatacenter",
  "unfit/locality",
  "unfit/missingFeatures",
  "unfit/notTheNamedWorker",
  "unfit/tooFewDomains",
]);

/** What nobody does in a run, or so seldom that a thousand of them did not show it. */
const UNREACHED: ReadonlyMap<string, readonly Mark[]> = new Map<string, readonly Mark[]>([
  [
    "each is the end of one act of a liar, which one run in twenty has: byzantine.test.ts demands them act by act",
    [
      "evidence/doubleVote",
      "evidence/forgedCertificate",
      "evidence/forgedSignature",
      "evidence/forgedSnapshot",
      "evidence/lyingAcknowledgement",
      "evidence/malformedAppend",
      "evidence/secondLeader",
      "evidence/truncateCommitted",
      "evidence/twoContents",
      "election/vote-refused-unproven-term",
      "snapshot/damaged",
    ],
  ],
  [
    "clients would have to ask more at once than the lowered options of the seeds of CI leave room for",
    ["read/refused-queue-full", "request-refused/tooManyPending", "request-refused/tooManyUncommitted"],
  ],
  ["the seeds of CI lower the number of sessions in no run that opens so many", ["session/expired-for-another"]],
  [
    "workers are admitted when a run is set up, and their hosts never belong to members or ask again once removed",
    ["refused/nodeNotFound", "refused/workerIsMember", "refused/workerRemoved"],
  ],
  [
    "the leader's view is a batch old at most, and the commands of one subject never overlap",
    ["refused/taskHasChanged", "refused/workerHasChanged"],
  ],
  [
    "the operator asks only for changes that are possible, and a leader is replaced before it has made 16 of them",
    ["introduction/links-missing", "membership/refused-invalid"],
  ],
  [
    "a follower that is sent a snapshot has none of the entries that it stands for",
    ["snapshot/installed-over-own-log"],
  ],
  [
    "takes longer than a run: boots and builds are given up after minutes, VMs are left alone after many restarts",
    ["agent/boot-hangs", "agent/build-ignored", "recovery/left-alone"],
  ],
]);

/** Holds by construction: if one is reached, the reason is wrong. */
const IMPOSSIBLE: ReadonlyMap<Mark, string> = new Map<Mark, string>([
  ["unfit/tooExpensive", "is found by comparing workers, in scheduler/explain.ts, and never for one worker alone"],
]);

test("the runs of CI reach every mark that is not listed", () => {
  const reached = new Set<string>();
  for (const scenario of SCENARIOS) {
    // It takes minutes, and reaches what the smaller fleets do.
    if (scenario.name === "thousand-workers") continue;
    for (const seed of SEEDS) {
      const run = new Run(scenario, { seed, durationMs: DURATION_MS, coverage: true });
      while (!run.advance(100_000));
      for (const mark of Object.keys(run.report().marks)) reached.add(mark);
    }
  }
  const listed = new Set<Mark>([...SELDOM, ...IMPOSSIBLE.keys(), ...[...UNREACHED.values()].flat()]);
  expect(MARKS.filter((mark) => !reached.has(mark) && !listed.has(mark))).toEqual([]);
  expect([...IMPOSSIBLE.keys()].filter((mark) => reached.has(mark))).toEqual([]);
}, 300_000);

test("no mark is listed twice", () => {
  const listed = [...SELDOM, ...IMPOSSIBLE.keys(), ...[...UNREACHED.values()].flat()];
  expect(listed.filter((mark, at) => listed.indexOf(mark) !== at)).toEqual([]);
});
