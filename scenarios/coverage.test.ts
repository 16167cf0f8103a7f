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
  "agent/machine-of-a-later-run",
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
  "lease/report-while-being-lost",
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
  "request-refused/membershipRefused",
  "request-refused/notLeader",
  "snapshot/chunks-resent",
  "snapshot/not-needed",
  "snapshot/put-off-in-joint-phase",
  "snapshot/rewound",
  "transfer/order-out-of-date",
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
    "clients make few kinds of requests and stay below every limit",
    [
      "read/refused-queue-full",
      "refused/invalidCommand",
      "refused/limitReached",
      "refused/poolDisabled",
      "refused/poolInUse",
      "refused/poolOverlaps",
      "refused/poolsDisabled",
      "refused/sequenceTooOld",
      "refused/sessionExpired",
      "refused/taskExists",
      "refused/workerIsMember",
      "request-refused/invalidRequest",
      "request-refused/requestTooLarge",
      "request-refused/tooManyPending",
      "request-refused/tooManyUncommitted",
      "session/expired-for-another",
    ],
  ],
  ["no client reads by lease where leases are off", ["request-refused/leaseReadsOff"]],
  [
    "nobody makes tokens, and no node joins with one: members and workers are admitted when a run is set up",
    [
      "refused/nodeIdTaken",
      "refused/nodeNotFound",
      "refused/peerIdTaken",
      "refused/tokenExists",
      "refused/tokenExpired",
      "refused/tokenForAnotherNode",
      "refused/tokenNotForJoining",
      "refused/tokenNotFound",
      "refused/tokenRevoked",
      "refused/tokenUsed",
      "refused/workerRemoved",
    ],
  ],
  [
    "VMs have no features, no locality, no named worker and no costs",
    ["unfit/excludedDatacenter", "unfit/locality", "unfit/missingFeatures", "unfit/notTheNamedWorker"],
  ],
  [
    "the leader's view is a batch old at most, and the commands of one subject never overlap",
    ["refused/taskHasChanged", "refused/workerHasChanged"],
  ],
  [
    "the operator asks only for changes that are possible, and a leader is replaced before it has made 16 of them",
    ["introduction/links-missing", "membership/election-renewed", "membership/refused-invalid"],
  ],
  [
    "a follower that is sent a snapshot has none of the entries that it stands for",
    ["snapshot/installed-over-own-log"],
  ],
  [
    "takes longer than a run: boots and builds are given up after minutes, VMs are left alone after many restarts",
    ["agent/boot-hangs", "agent/build-ignored", "agent/health-check-up-again", "recovery/left-alone"],
  ],
  ["a machine is still stopping when it is wanted again and ignores that", ["agent/stop-repeated-before-next-run"]],
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
