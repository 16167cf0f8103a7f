/** Lies to members that have joined lately, or lag: about who is a member, and about what was decided before. */
import {
  type Configuration,
  emptyState,
  encodeSnapshot,
  type LineageLink,
  type Message,
  type NodeId,
  type SnapshotChunk,
  snapshotDigest,
} from "../../../core/index.ts";
import type { NodeView } from "../../world/index.ts";
import { type Act, type Demand, follows, header, inventedText, type Speaker } from "../lie.ts";
import { mustRefuseLink } from "./forging.ts";

/** So long after somebody is seen for the first time it counts as a newcomer. */
const NEW_FOR_MS = 15_000;

/** The members that the liar has come to know lately. */
function newcomers({ self }: Speaker): (node: NodeView) => NodeId[] {
  const sinceMs = new Map<NodeId, number>();
  return ({ configuration: { members } }) => {
    const nowMs = self.nowMs();
    const firstMs = sinceMs.size === 0 ? Number.NEGATIVE_INFINITY : nowMs;
    for (const { id } of members) if (!sinceMs.has(id)) sinceMs.set(id, firstMs);
    const isNew = (id: NodeId): boolean => id !== self.id && (sinceMs.get(id) ?? nowMs) > nowMs - NEW_FOR_MS;
    return members.map(({ id }) => id).filter(isNew);
  };
}

export const joinerIntroduction: Act = (speaker) => {
  const { self, rng } = speaker;
  const newcomersOf = newcomers(speaker);

  /** By which the liar alone has a vote. */
  function link(node: NodeView): LineageLink {
    const { configuration, log, term } = node;
    const joint = { ...configuration, voters: [self.id], outgoing: configuration.voters };
    const signatures = configuration.voters.map((id) => ({ id, signature: inventedText(rng) }));
    return { jointIndex: log.lastIndex + rng.integer(1, 100), jointTerm: term, joint, signatures };
  }

  return {
    beside(node) {
      const receivers = newcomersOf(node);
      if (receivers.length === 0 || node.configuration.outgoing.length > 0 || !speaker.ventures()) return [];
      const forged = link(node);
      return receivers.map((to) => {
        const message: Message = { type: "introduction", ...header(speaker, to, node.term), links: [forged] };
        return speaker.lie(message, mustRefuseLink(forged));
      });
    },
  };
};

export const joinerStart: Act = (speaker) => {
  const { self } = speaker;
  return {
    /** A cluster of the liar alone, whose signature is then a quorum. */
    admits({ configuration }) {
      const { learners, members } = configuration;
      const isLeft = (id: NodeId): boolean => id === self.id || learners.includes(id);
      return { ...configuration, voters: [self.id], members: members.filter(({ id }) => isLeft(id)) };
    },
  };
};

/** Only one who follows the liar takes it, and only if it does not hold as much already. */
function mustHarm(chunk: SnapshotChunk): Demand {
  return (receiver) => (follows(receiver, chunk) && chunk.meta.index > receiver.commitIndex ? [] : null);
}

export const joinerSnapshot: Act = (speaker) => {
  const { self } = speaker;
  return {
    instead(_node, message) {
      if (message.type !== "snapshotChunk") return message;
      // A cluster in which nothing was ever done, where the true one has been compacted.
      const chunks = [...encodeSnapshot(emptyState(), 1024)];
      const [bytes] = chunks;
      if (bytes === undefined || chunks.length > 1) return message;
      const digest = snapshotDigest(self.runtime, chunks);
      const meta = { ...message.meta, digest, chunkCount: 1, sizeBytes: bytes.length };
      const forged: SnapshotChunk = { ...message, meta, sequence: 0, bytes };
      return speaker.lie(forged, mustHarm(forged));
    },
  };
};

export const joinerMembership: Act = (speaker) => {
  const { self, rng } = speaker;

  /** Without one of the others, or with none but the liar and the receiver. */
  function altered(configuration: Configuration, to: NodeId): Configuration {
    const others = configuration.voters.filter((id) => id !== self.id && id !== to);
    if (others.length === 0) return configuration;
    const dropped = rng.chance(0.5) ? [rng.pick(others)] : others;
    return { ...configuration, voters: configuration.voters.filter((id) => !dropped.includes(id)) };
  }

  return {
    instead(_node, message) {
      if (message.type !== "snapshotChunk" || message.meta.configuration.outgoing.length > 0) return message;
      const configuration = altered(message.meta.configuration, message.to);
      const learners = configuration.members.map(({ id }) => id).filter((id) => !configuration.voters.includes(id));
      const forged: SnapshotChunk = {
        ...message,
        meta: { ...message.meta, configuration: { ...configuration, learners } },
      };
      return speaker.lie(forged, mustHarm(forged));
    },
  };
};
