/**
 * Endorsements: members' signatures over a joint configuration. A quorum of them proves the configuration that
 * follows it.
 */
import { assert } from "./assert.ts";
import { encodeConfiguration } from "./codec/index.ts";
import { isJoint } from "./configuration.ts";
import type { AppendResponse } from "./messages.ts";
import type { Configuration, Signature } from "./records.ts";
import { endorsementStatement } from "./statements.ts";
import type { StateView } from "./views.ts";

export function signEndorsement(raft: StateView, jointIndex: number, joint: Configuration): Signature {
  return raft.environment.sign(statementFor(raft, jointIndex, termOf(raft, jointIndex), joint));
}

export function termOf(raft: StateView, index: number): number {
  const term = raft.log.termAt(index);
  assert(term !== null, "a configuration is not in the log", index);
  return term;
}

export function statementFor(raft: StateView, jointIndex: number, jointTerm: number, joint: Configuration): Uint8Array {
  const digest = raft.environment.digest(encodeConfiguration(joint));
  return endorsementStatement(raft.clusterId, raft.incarnation, jointIndex, jointTerm, digest);
}

/** This node's signature over the joint configuration it acts by, sent with an acknowledgement that covers it. */
export function endorsementFor(raft: StateView, matchIndex: number): AppendResponse["endorsement"] {
  const { configuration, index } = raft.roster.latest;
  if (!isJoint(configuration) || index > matchIndex) return null;
  return { index, signature: signEndorsement(raft, index, configuration) };
}
