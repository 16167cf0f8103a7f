/**
 * The oracles of a run: `new Oracles({ members, conditions, raft, limits, violate }, ORACLES)` is the `Observer` that
 * the world calls.
 *
 * To add one: a file that opens with what it checks and what it does not, a factory in the list below, and a test
 * beside it in which a planted bug makes it fire. Take the narrowest hook of `Oracle` that will do: an oracle must
 * cost nothing when what it watches has not changed.
 */
import { acknowledgedDurable } from "./acknowledged-durable.ts";
import { admissions } from "./admissions.ts";
import { answeredInTime } from "./answered-in-time.ts";
import { asModelled } from "./as-modelled.ts";
import { availability } from "./availability.ts";
import { clientsServed } from "./clients-served.ts";
import { clusterTime } from "./cluster-time.ts";
import { committedImmutable } from "./committed-immutable.ts";
import { committedOnQuorum } from "./committed-on-quorum.ts";
import type { OracleFactory } from "./context.ts";
import { durableBeforeSpeech } from "./durable-before-speech.ts";
import { electionSafety } from "./election-safety.ts";
import { evidenceWithoutLiar } from "./evidence-without-liar.ts";
import { exactlyOnce } from "./exactly-once.ts";
import { haltedHonest } from "./halted-honest.ts";
import { healthyLeader } from "./healthy-leader.ts";
import { knownCommands } from "./known-commands.ts";
import { latestConfiguration } from "./latest-configuration.ts";
import { leaderCompleteness } from "./leader-completeness.ts";
import { leaderStickiness } from "./leader-stickiness.ts";
import { linearizability } from "./linearizability.ts";
import { logMatching } from "./log-matching.ts";
import { membershipAnswers } from "./membership-answers.ts";
import { monotonic } from "./monotonic.ts";
import { readFreshness } from "./read-freshness.ts";
import { oneAnswerPerRequest } from "./sessions.ts";
import { stateMachineSafety } from "./state-machine-safety.ts";

export { AtRest } from "./at-rest.ts";
export type { OracleContext, OracleFactory } from "./context.ts";
export { whyNotConverged } from "./convergence.ts";
export { whyWrongEvents } from "./event-pages.ts";
export { accusedBy } from "./evidence-without-liar.ts";
export { type Known, knownOf } from "./family.ts";
export { type Hooked, having } from "./hooked.ts";
export type { CommittedLedger, LedgerReader } from "./ledger.ts";
export type { Violate } from "./oracle.ts";
export { Oracles, type OraclesParts } from "./oracles.ts";
export { difference } from "./same.ts";
export { VM_FAMILY, VM_MODEL, type VmInput, type VmOutput } from "./vm-model.ts";

/** All of them, in the order in which a report lists them. */
export const ORACLES: readonly OracleFactory[] = [
  electionSafety,
  logMatching,
  leaderCompleteness,
  stateMachineSafety,
  asModelled,
  committedImmutable,
  committedOnQuorum,
  latestConfiguration,
  membershipAnswers,
  monotonic,
  durableBeforeSpeech,
  acknowledgedDurable,
  readFreshness,
  exactlyOnce,
  oneAnswerPerRequest,
  linearizability,
  answeredInTime,
  availability,
  clientsServed,
  healthyLeader,
  leaderStickiness,
  haltedHonest,
  evidenceWithoutLiar,
  clusterTime,
  knownCommands,
  admissions,
];
