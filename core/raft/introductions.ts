/**
 * Introductions: how a node that was away learns of members it has never met. It follows signed links from the last
 * configuration it knows.
 */
import { mark } from "../marks.ts";
import type { Admission } from "./admission.ts";
import { isJoint, memberOf } from "./configuration.ts";
import { statementFor } from "./endorsements.ts";
import type { Introduction, Message, WhoAreYou } from "./messages.ts";
import type { Outbox } from "./outbox.ts";
import { isQuorum } from "./quorum.ts";
import type { Configuration, LineageLink, NodeId, PeerId } from "./records.ts";
import type { Roster } from "./roster.ts";
import { header } from "./state.ts";
import type { StateView } from "./views.ts";

/** Sends to strangers too, takes over links, and reports false ones. */
export interface Introducer extends StateView {
  readonly outbox: Pick<Outbox, "send" | "sendTo">;
  readonly roster: StateView["roster"] & Pick<Roster, "introduce">;
  readonly admission: Pick<Admission, "report">;
}

/**
 * For a sender that is no member here: one that has left gets the proof of that, anybody else is asked for an
 * introduction.
 */
export function introduceOrAsk(raft: Introducer, peer: PeerId, message: Message): void {
  const left = raft.roster.configuration.retired.some((member) => member.id === message.from && member.peerId === peer);
  if (left) {
    mark("introduction/told-that-it-left");
    const introduction: Introduction = {
      type: "introduction",
      ...header(raft, message.from, raft.term),
      links: raft.roster.lineage,
    };
    raft.outbox.sendTo(peer, introduction);
    return;
  }
  askWho(raft, peer, message.from);
}

export function askWho(raft: Introducer, peer: PeerId, id: NodeId): void {
  mark("introduction/asked");
  const question: WhoAreYou = {
    type: "whoAreYou",
    ...header(raft, id, raft.term),
    configurationIndex: baseOf(raft).index,
  };
  raft.outbox.sendTo(peer, question);
}

export function handleWhoAreYou(raft: Introducer, message: WhoAreYou): void {
  const links = raft.roster.lineage.filter((link) => link.jointIndex > message.configurationIndex);
  if (links.length > 0) raft.outbox.send({ type: "introduction", ...header(raft, message.from, raft.term), links });
}

/**
 * The last final configuration that this node knows to be committed, by its log or by proof. In place of a committed
 * joint one, the configuration before it.
 */
function baseOf(raft: Introducer): { readonly index: number; readonly configuration: Configuration } {
  const committed = raft.roster.configurations[0] ?? raft.roster.latest;
  if (raft.roster.introduced !== null && raft.roster.introduced.jointIndex >= committed.index) {
    return { index: raft.roster.introduced.jointIndex, configuration: raft.roster.introduced.configuration };
  }
  const { configuration, index } = committed;
  if (!isJoint(configuration)) return { index, configuration };
  return { index: index - 1, configuration: { ...configuration, voters: configuration.outgoing, outgoing: [] } };
}

/**
 * Follows signed links from that configuration on. The sender need not be a known member, since the signatures are.
 */
export function handleIntroduction(raft: Introducer, message: Introduction): void {
  for (const link of message.links) {
    const base = baseOf(raft);
    if (link.jointIndex <= base.index) continue;
    // Links in between are missing. No evidence: a member that joined lately, or has trimmed its lineage, may not
    // have them.
    const { outgoing } = link.joint;
    const { voters } = base.configuration;
    if (outgoing.length !== voters.length || outgoing.some((id, at) => id !== voters[at])) {
      mark("introduction/links-missing");
      return;
    }
    const flaw = flawOf(raft, base.configuration, link);
    if (flaw !== null) {
      // One key for all senders: this one may be no member, and use any id.
      raft.admission.report("forgedLineage", {
        kind: "forgedLineage",
        from: message.from,
        jointIndex: link.jointIndex,
        reason: flaw,
      });
      return;
    }
    mark("introduction/followed");
    raft.roster.introduce(link);
  }
}

function flawOf(
  raft: Introducer,
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
