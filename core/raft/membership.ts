/**
 * Membership changes (thesis 4): joint consensus that is left automatically, and promotion of learners that have
 * caught up.
 */
import { mark } from "../marks.ts";
import { appendAsLeader } from "./appending.ts";
import { encodeConfigurationRecord } from "./codec/index.ts";
import { enterJoint, isJoint, leaveJoint, memberOf } from "./configuration.ts";
import { campaign } from "./election.ts";
import { signEndorsement, statementFor, termOf } from "./endorsements.ts";
import type { Leadership } from "./leadership.ts";
import { sendTimeoutNow, startTransfer, type TransferState } from "./leadership-transfer.ts";
import { LIMITS } from "./limits.ts";
import { isQuorum } from "./quorum.ts";
import {
  type Configuration,
  type ConfigurationChange,
  type LineageLink,
  NOBODY,
  type NodeId,
  type Signature,
} from "./records.ts";

/** Changes who takes part. The leader collects endorsements for that. */
export interface MembershipState extends TransferState {
  readonly leadership: TransferState["leadership"] & Pick<Leadership, "endorsements">;
}

/** A change that has begun, or why it cannot. `isTemporary`: something else is in the way, and will be over soon. */
export type MembershipChange =
  | { readonly jointIndex: number }
  | { readonly refused: string; readonly isTemporary?: true };

/**
 * Starts a change. Returns the index of its joint entry; it is done when the final configuration that follows it is
 * committed.
 */
export function changeMembership(raft: MembershipState, changes: readonly ConfigurationChange[]): MembershipChange {
  if (raft.role !== "leader") return { refused: "this node does not lead" };
  // Until the leader has committed an entry of its own term, a change by an earlier leader may still be committed
  // beside this one: two changes that do not know of each other could have disjoint quorums (the bug in single-server
  // changes that Ongaro reported on raft-dev in 2015).
  if (raft.commitIndex < raft.leadership.termStartIndex) {
    mark("membership/refused-before-first-commit");
    return { refused: "the leader has committed nothing in its term yet; try again", isTemporary: true };
  }
  if (raft.roster.configurations.length > 1) {
    mark("membership/refused-another-under-way");
    return { refused: "another membership change is in progress", isTemporary: true };
  }
  if (raft.leadership.transferring !== null) {
    mark("membership/refused-transfer-under-way");
    return { refused: "leadership is being handed over", isTemporary: true };
  }
  for (const { kind, id } of changes) {
    // A voter without the log would count towards quorums that it cannot help to reach.
    if (kind === "promote" && !hasCaughtUp(raft, id)) {
      mark("membership/refused-learner-behind");
      return { refused: `node ${id} has not caught up` };
    }
  }
  const entered = enterJoint(raft.roster.configuration, changes);
  if ("refused" in entered) {
    mark("membership/refused-invalid");
    return entered;
  }
  // As etcd's strict reconfiguration check: the voters that remain must be able to decide, or the change ends the
  // cluster.
  const { joint } = entered;
  if (!isQuorum({ ...joint, outgoing: [] }, (id) => id === raft.id || isHeard(raft, id))) {
    mark("membership/refused-too-few-answer");
    return { refused: `of the voters ${joint.voters.join(", ")} that the change leaves, too few answer` };
  }
  mark("membership/joint-entered");
  return { jointIndex: append(raft, joint, null) };
}

function append(raft: MembershipState, configuration: Configuration, link: LineageLink | null): number {
  raft.leadership.endorsements.clear();
  const [entry] = appendAsLeader(raft, "configuration", [encodeConfigurationRecord({ configuration, link })]);
  return entry?.index ?? 0;
}

/**
 * The commit index has moved: leaves a joint phase that is committed, and steps down once a configuration without
 * this leader is.
 */
export function changeCommitted(raft: MembershipState): void {
  leaveIfEndorsed(raft);
  const { configuration, index } = raft.roster.latest;
  if (index > raft.commitIndex || isJoint(configuration)) return;
  if (configuration.voters.includes(raft.id)) {
    renewElection(raft);
    return;
  }
  mark("membership/leader-left");
  const target = mostCaughtUp(raft);
  if (target !== NOBODY) sendTimeoutNow(raft, target);
  raft.becomeFollower(NOBODY);
}

/**
 * A leader that stays in its term over many changes transfers leadership. A joining node is given a bounded number of
 * links; once they no longer reach back to the voters that elected this leader, it could not check the leader's
 * certificate.
 */
function renewElection(raft: MembershipState): void {
  const changes = raft.roster.lineage.filter(({ jointTerm }) => jointTerm === raft.term).length;
  if (changes < LIMITS.lineageLinks / 2 || raft.leadership.transferring !== null) return;
  mark("membership/election-renewed");
  const target = mostCaughtUp(raft);
  if (target !== NOBODY) startTransfer(raft, target);
  else campaign(raft);
}

/** The other voter with the most of the log; NOBODY where there is none. */
function mostCaughtUp(raft: MembershipState): NodeId {
  let target: NodeId = NOBODY;
  let most = -1;
  for (const id of raft.roster.configuration.voters) {
    const match = raft.leadership.progress.get(id)?.match ?? -1;
    if (match > most) [target, most] = [id, match];
  }
  return target;
}

function leaveIfEndorsed(raft: MembershipState): void {
  const { configuration, index } = raft.roster.latest;
  if (raft.role !== "leader" || !isJoint(configuration) || index > raft.commitIndex) return;
  if (!isQuorum(configuration, (id) => raft.leadership.endorsements.has(id))) return;
  mark("membership/joint-left");
  append(raft, leaveJoint(configuration), {
    jointIndex: index,
    jointTerm: termOf(raft, index),
    joint: configuration,
    signatures: raft.leadership.endorsements.toList(),
  });
}

/**
 * A learner that is to be promoted becomes a voter once it has nearly everything that is committed. Checked in every
 * heartbeat interval.
 */
export function promoteLearners(raft: MembershipState): void {
  if (raft.roster.configurations.length > 1) return;
  for (const id of raft.roster.configuration.learners) {
    if (memberOf(raft.roster.configuration, id)?.promote === true && hasCaughtUp(raft, id)) {
      mark("membership/learner-promoted");
      changeMembership(raft, [{ kind: "promote", id }]);
      return;
    }
  }
}

function hasCaughtUp(raft: MembershipState, id: NodeId): boolean {
  const progress = raft.leadership.progress.get(id);
  if (progress?.mode !== "replicate") return false;
  // One that does not answer has not caught up, however short the log is.
  return isHeard(raft, id) && progress.match + raft.options.snapshotTrailingEntries >= raft.commitIndex;
}

/** Whether the member has answered this leader within an election time-out. */
export function isHeard(raft: Pick<MembershipState, "leadership" | "nowMs" | "options">, id: NodeId): boolean {
  const heardMs = raft.leadership.progress.get(id)?.lastHeardMs ?? Number.NEGATIVE_INFINITY;
  return raft.nowMs - heardMs < raft.options.electionTimeoutMs;
}

/** Adds the leader's own endorsement, once its joint configuration is durable. */
export function endorse(raft: MembershipState): void {
  const { configuration, index } = raft.roster.latest;
  if (
    raft.role !== "leader" ||
    !isJoint(configuration) ||
    index > raft.log.stableIndex ||
    raft.leadership.endorsements.has(raft.id)
  )
    return;
  raft.leadership.endorsements.add(raft.id, signEndorsement(raft, index, configuration));
  leaveIfEndorsed(raft);
}

export function recordEndorsement(
  raft: MembershipState,
  from: NodeId,
  endorsement: { readonly index: number; readonly signature: Signature },
): void {
  const { configuration, index } = raft.roster.latest;
  if (
    raft.role !== "leader" ||
    !isJoint(configuration) ||
    endorsement.index !== index ||
    raft.leadership.endorsements.has(from)
  )
    return;
  const peer = memberOf(configuration, from)?.peerId;
  if (
    peer === undefined ||
    !raft.environment.verify(peer, statementFor(raft, index, termOf(raft, index), configuration), endorsement.signature)
  ) {
    raft.admission.report(`forgedSignature ${from} ${raft.term}`, {
      kind: "forgedSignature",
      from,
      term: raft.term,
      reason: "the endorsement does not verify",
    });
    raft.admission.evict(from);
    return;
  }
  raft.leadership.endorsements.add(from, endorsement.signature);
  leaveIfEndorsed(raft);
}
