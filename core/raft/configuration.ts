/**
 * Membership arithmetic (thesis 4.3): which configuration a change leads to. Every change passes through a joint
 * configuration. So each is safe whatever it adds and removes, and the signatures that it collects prove it later to
 * members that were away.
 */
import { LIMITS } from "./limits.ts";
import {
  type Configuration,
  type ConfigurationChange,
  type Member,
  NOBODY,
  NODE_ID_MAX,
  type NodeId,
  type PeerId,
} from "./records.ts";

export function isJoint(configuration: Configuration): boolean {
  return configuration.outgoing.length > 0;
}

/** Whether `id` votes in either half of a joint configuration. */
export function isVoter(configuration: Configuration, id: NodeId): boolean {
  return configuration.voters.includes(id) || configuration.outgoing.includes(id);
}

export function memberOf(configuration: Configuration, id: NodeId): Member | undefined {
  return configuration.members.find((member) => member.id === id);
}

/** A cluster's first configuration. */
export function initialConfiguration(members: readonly { id: NodeId; peerId: PeerId }[]): Configuration {
  const sortedMembers = [...members].sort(byId).map(({ id, peerId }) => ({ id, peerId, promote: false }));
  return { voters: sortedMembers.map(({ id }) => id), outgoing: [], learners: [], members: sortedMembers, retired: [] };
}

/**
 * The joint configuration that carries out all `changes` at once, or why that is refused. A voter must have been a
 * learner in a committed configuration first: so every member can prove itself to the others before its vote counts.
 */
export function enterJoint(
  current: Configuration,
  changes: readonly ConfigurationChange[],
): { readonly joint: Configuration } | { readonly refused: string } {
  if (isJoint(current)) return { refused: "another membership change is in progress" };
  if (changes.length === 0) return { refused: "no change was asked for" };
  const voters = new Set(current.voters);
  const learners = new Set(current.learners);
  const members = new Map(current.members.map((member) => [member.id, member]));
  const touched = new Set<NodeId>();
  for (const change of changes) {
    const { id } = change;
    if (touched.has(id)) return { refused: `node ${id} appears in two changes` };
    touched.add(id);
    switch (change.kind) {
      case "addLearner": {
        if (!Number.isInteger(id) || id <= NOBODY || id > NODE_ID_MAX)
          return { refused: `node id ${id} is not in 1..2^31-1` };
        if (change.peerId.length === 0 || change.peerId.length > LIMITS.peerIdLength)
          return { refused: `peer id of node ${id} has no valid length` };
        if (members.has(id)) return { refused: `node ${id} is a member already` };
        for (const known of [...members.values(), ...current.retired]) {
          if (known.id === id) return { refused: `node id ${id} was used before; ids are never reused` };
          if (known.peerId === change.peerId)
            return { refused: `the identity of node ${id} is bound to node ${known.id}` };
        }
        members.set(id, { id, peerId: change.peerId, promote: change.promote });
        learners.add(id);
        break;
      }
      case "promote":
        if (!learners.delete(id)) return { refused: `node ${id} is not a learner` };
        voters.add(id);
        break;
      case "demote": {
        const member = members.get(id);
        if (member === undefined || !voters.delete(id)) return { refused: `node ${id} is not a voter` };
        learners.add(id);
        members.set(id, { ...member, promote: false });
        break;
      }
      case "remove":
        if (!voters.delete(id) && !learners.delete(id)) return { refused: `node ${id} is not a member` };
        break;
    }
  }
  if (voters.size === 0) return { refused: "the cluster would have no voter" };
  if (voters.size > LIMITS.voters) return { refused: `the cluster would have more than ${LIMITS.voters} voters` };
  if (members.size > LIMITS.members) return { refused: `the cluster would have more than ${LIMITS.members} members` };
  if (current.retired.length + touched.size > LIMITS.retired)
    return { refused: `more than ${LIMITS.retired} members have been removed` };
  const retiring = [...members.values()].filter((member) => !voters.has(member.id) && !learners.has(member.id));
  // A removed learner has no vote to wait for: it leaves at once. A removed voter stays a member until the joint
  // phase ends.
  const stays = (member: Member): boolean => !retiring.includes(member) || current.voters.includes(member.id);
  return {
    joint: {
      voters: ascending(voters),
      outgoing: current.voters,
      learners: ascending(learners),
      members: [...members.values()].filter(stays).sort(byId),
      retired: [...current.retired, ...retiring.filter((member) => !stays(member))].sort(byId),
    },
  };
}

/** The final configuration after `joint`. */
export function leaveJoint(joint: Configuration): Configuration {
  const remains = (member: Member): boolean => joint.voters.includes(member.id) || joint.learners.includes(member.id);
  return {
    voters: joint.voters,
    outgoing: [],
    learners: joint.learners,
    members: joint.members
      .filter(remains)
      .map((member) => (joint.voters.includes(member.id) && member.promote ? { ...member, promote: false } : member)),
    retired: [...joint.retired, ...joint.members.filter((member) => !remains(member))].sort(byId),
  };
}

function ascending(ids: Iterable<NodeId>): NodeId[] {
  return [...ids].sort((a, b) => a - b);
}

function byId(a: { readonly id: NodeId }, b: { readonly id: NodeId }): number {
  return a.id - b.id;
}
