/**
 * Who takes part (thesis 4): changes through joint consensus with automatic leave, promotion of learners that have caught up, and introductions, by
 * which a node that was away learns, with proof, of members it has never met.
 */

import { assert } from "./assert.ts";
import { encodeConfiguration, encodeConfigurationRecord } from "./codec/index.ts";
import { enterJoint, isJoint, leaveJoint, memberOf } from "./configuration.ts";
import { campaign, header, sendTimeoutNow, startTransfer } from "./election.ts";
import { LIMITS } from "./limits.ts";
import type { AppendResponse, Introduction, Message, WhoAreYou } from "./messages.ts";
import { isQuorum } from "./quorum.ts";
import type { Raft } from "./raft.ts";
import { appendAsLeader } from "./replication.ts";
import { endorsementStatement } from "./statements.ts";
import {
  type Configuration,
  type ConfigurationChange,
  type LineageLink,
  NOBODY,
  type NodeId,
  type PeerId,
  type Signature,
} from "./types.ts";

/** Starts a change. Returns the index of its joint entry; it is done when the final configuration that follows it is committed. */
export function changeMembership(
  raft: Raft,
  changes: readonly ConfigurationChange[],
): { readonly jointIndex: number } | { readonly refused: string; readonly isTemporary?: true } {
  if (raft.role !== "leader") return { refused: "this node does not lead" };
  // Before that, a change of an earlier leader may still be committed beside this one (Ongaro on raft-dev, 2015).
  if (raft.commitIndex < raft.termStartIndex)
    return { refused: "the leader has committed nothing in its term yet; try again", isTemporary: true };
  if (raft.configurations.length > 1) return { refused: "another membership change is in progress", isTemporary: true };
  if (raft.transferring !== null) return { refused: "leadership is being handed over", isTemporary: true };
  for (const { kind, id } of changes) {
    // A voter without the log would count towards quorums that it cannot help to reach.
    if (kind === "promote" && !hasCaughtUp(raft, id)) return { refused: `node ${id} has not caught up` };
  }
  const entered = enterJoint(raft.configuration, changes);
  if ("refused" in entered) return entered;
  // As etcd's strict reconfiguration check: the voters that remain must be able to decide, or the change ends the cluster.
  const { joint } = entered;
  if (!isQuorum({ ...joint, outgoing: [] }, (id) => id === raft.id || isHeard(raft, id))) {
    return { refused: `of the voters ${joint.voters.join(", ")} that the change leaves, too few answer` };
  }
  return { jointIndex: append(raft, joint, null) };
}

function append(raft: Raft, configuration: Configuration, link: LineageLink | null): number {
  raft.endorsements = new Map();
  const [entry] = appendAsLeader(raft, "configuration", [encodeConfigurationRecord({ configuration, link })]);
  return entry?.index ?? 0;
}

/** The commit index has moved: leaves a joint phase that is committed, and steps down once a configuration without this leader is. */
export function changeCommitted(raft: Raft): void {
  leaveIfEndorsed(raft);
  const { configuration, index } = raft.latest;
  if (index > raft.commitIndex || isJoint(configuration)) return;
  if (configuration.voters.includes(raft.id)) {
    renewElection(raft);
    return;
  }
  const heir = mostCaughtUp(raft);
  if (heir !== NOBODY) sendTimeoutNow(raft, heir);
  raft.becomeFollower(NOBODY);
}

/**
 * A leader that outlives many changes hands over, so that its election stays within the lineage that a joining node is given: with a certificate whose
 * signers nobody can trace any more, it could not be followed by newcomers.
 */
function renewElection(raft: Raft): void {
  const changes = raft.lineage.filter(({ jointTerm }) => jointTerm === raft.term).length;
  if (changes < LIMITS.lineageLinks / 2 || raft.transferring !== null) return;
  const heir = mostCaughtUp(raft);
  if (heir !== NOBODY) startTransfer(raft, heir);
  else campaign(raft);
}

/** The other voter with the most of the log; NOBODY where there is none. */
function mostCaughtUp(raft: Raft): NodeId {
  let heir: NodeId = NOBODY;
  let most = -1;
  for (const id of raft.configuration.voters) {
    const match = raft.progress.get(id)?.match ?? -1;
    if (match > most) [heir, most] = [id, match];
  }
  return heir;
}

function leaveIfEndorsed(raft: Raft): void {
  const { configuration, index } = raft.latest;
  if (raft.role !== "leader" || !isJoint(configuration) || index > raft.commitIndex) return;
  if (!isQuorum(configuration, (id) => raft.endorsements.has(id))) return;
  const signatures = [...raft.endorsements].map(([id, signature]) => ({ id, signature })).sort((a, b) => a.id - b.id);
  append(raft, leaveJoint(configuration), {
    jointIndex: index,
    jointTerm: termOf(raft, index),
    joint: configuration,
    signatures,
  });
}

/** A learner that asked to be promoted, and that has nearly everything committed, becomes a voter. Looked at with each heartbeat. */
export function promoteLearners(raft: Raft): void {
  if (raft.configurations.length > 1) return;
  for (const id of raft.configuration.learners) {
    if (memberOf(raft.configuration, id)?.promote === true && hasCaughtUp(raft, id)) {
      changeMembership(raft, [{ kind: "promote", id }]);
      return;
    }
  }
}

function hasCaughtUp(raft: Raft, id: NodeId): boolean {
  const progress = raft.progress.get(id);
  if (progress?.mode !== "replicate") return false;
  // One that has never answered, or no more, has caught up with nothing, however short the log.
  return isHeard(raft, id) && progress.match + raft.options.snapshotTrailingEntries >= raft.commitIndex;
}

function isHeard(raft: Raft, id: NodeId): boolean {
  const heardMs = raft.progress.get(id)?.lastHeardMs ?? Number.NEGATIVE_INFINITY;
  return raft.nowMs - heardMs < raft.options.electionTimeoutMs;
}

// ---- Endorsements: what a joint phase leaves behind as proof

function signEndorsement(raft: Raft, jointIndex: number, joint: Configuration): Signature {
  return raft.environment.sign(statementFor(raft, jointIndex, termOf(raft, jointIndex), joint));
}

function termOf(raft: Raft, index: number): number {
  const term = raft.log.termAt(index);
  assert(term !== null, "a configuration is not in the log", index);
  return term;
}

function statementFor(raft: Raft, jointIndex: number, jointTerm: number, joint: Configuration): Uint8Array {
  const digest = raft.environment.digest(encodeConfiguration(joint));
  return endorsementStatement(raft.clusterId, raft.incarnation, jointIndex, jointTerm, digest);
}

/** This node's signature, to ride on an acknowledgement of the joint configuration it acts by. */
export function endorsementFor(raft: Raft, matchIndex: number): AppendResponse["endorsement"] {
  const { configuration, index } = raft.latest;
  if (!isJoint(configuration) || index > matchIndex) return null;
  return { index, signature: signEndorsement(raft, index, configuration) };
}

/** The leader's own, once its joint configuration is durable. */
export function endorse(raft: Raft): void {
  const { configuration, index } = raft.latest;
  if (
    raft.role !== "leader" ||
    !isJoint(configuration) ||
    index > raft.log.stableIndex ||
    raft.endorsements.has(raft.id)
  )
    return;
  raft.endorsements.set(raft.id, signEndorsement(raft, index, configuration));
  leaveIfEndorsed(raft);
}

export function recordEndorsement(
  raft: Raft,
  from: NodeId,
  endorsement: { readonly index: number; readonly signature: Signature },
): void {
  const { configuration, index } = raft.latest;
  if (raft.role !== "leader" || !isJoint(configuration) || endorsement.index !== index || raft.endorsements.has(from))
    return;
  const peer = memberOf(configuration, from)?.peerId;
  if (
    peer === undefined ||
    !raft.environment.verify(peer, statementFor(raft, index, termOf(raft, index), configuration), endorsement.signature)
  ) {
    raft.report(`forgedSignature ${from} ${raft.term}`, {
      kind: "forgedSignature",
      from,
      term: raft.term,
      reason: "the endorsement does not verify",
    });
    raft.evict(from);
    return;
  }
  raft.endorsements.set(from, endorsement.signature);
  leaveIfEndorsed(raft);
}

// ---- Introductions

/** A sender that is nobody here: one that has left is shown so, anyone else is asked to prove itself. */
export function introduceOrAsk(raft: Raft, peer: PeerId, message: Message): void {
  const left = raft.configuration.retired.some((member) => member.id === message.from && member.peerId === peer);
  if (left) {
    const introduction: Introduction = {
      type: "introduction",
      ...header(raft, message.from, raft.term),
      links: raft.lineage,
    };
    raft.emit({ kind: "send", to: peer, message: introduction });
    return;
  }
  askWho(raft, peer, message.from);
}

export function askWho(raft: Raft, peer: PeerId, id: NodeId): void {
  const question: WhoAreYou = {
    type: "whoAreYou",
    ...header(raft, id, raft.term),
    configurationIndex: baseOf(raft).index,
  };
  raft.emit({ kind: "send", to: peer, message: question });
}

export function handleWhoAreYou(raft: Raft, message: WhoAreYou): void {
  const links = raft.lineage.filter((link) => link.jointIndex > message.configurationIndex);
  if (links.length > 0) raft.send({ type: "introduction", ...header(raft, message.from, raft.term), links });
}

/** The last final configuration that this node can vouch for. A committed joint one counts as what it came from. */
function baseOf(raft: Raft): { readonly index: number; readonly configuration: Configuration } {
  const committed = raft.configurations[0] ?? raft.latest;
  if (raft.introduced !== null && raft.introduced.jointIndex >= committed.index) {
    return { index: raft.introduced.jointIndex, configuration: raft.introduced.configuration };
  }
  const { configuration, index } = committed;
  if (!isJoint(configuration)) return { index, configuration };
  return { index: index - 1, configuration: { ...configuration, voters: configuration.outgoing, outgoing: [] } };
}

/** Follows proven links from the base on. The sender need not be known: the signatures are those of members who are. */
export function handleIntroduction(raft: Raft, message: Introduction): void {
  for (const link of message.links) {
    const base = baseOf(raft);
    if (link.jointIndex <= base.index) continue;
    // An honest member that joined lately, or has trimmed its lineage, may lack the links in between.
    const { outgoing } = link.joint;
    const { voters } = base.configuration;
    if (outgoing.length !== voters.length || outgoing.some((id, at) => id !== voters[at])) return;
    const flaw = flawOf(raft, base.configuration, link);
    if (flaw !== null) {
      // Whoever it comes from: the sender may be nobody here, with any number.
      raft.report("forgedLineage", {
        kind: "forgedLineage",
        from: message.from,
        jointIndex: link.jointIndex,
        reason: flaw,
      });
      return;
    }
    raft.introduce(link);
  }
}

function flawOf(
  raft: Raft,
  base: Configuration,
  { joint, jointIndex, jointTerm, signatures }: LineageLink,
): string | null {
  for (const known of base.members) {
    const other = memberOf(joint, known.id) ?? joint.retired.find(({ id }) => id === known.id);
    if (other?.peerId !== known.peerId) return `node ${known.id} is bound to another identity`;
  }
  const signers = new Set<NodeId>();
  for (const { id, signature } of signatures) {
    const peer = memberOf(joint, id)?.peerId;
    if (
      peer === undefined ||
      !raft.environment.verify(peer, statementFor(raft, jointIndex, jointTerm, joint), signature)
    ) {
      return `the signature of node ${id} does not verify`;
    }
    signers.add(id);
  }
  return isQuorum(joint, (id) => signers.has(id)) ? null : "too few members signed it";
}
