/** Lies about state and membership: forged snapshots, and members that nobody admitted. */
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
import {
  type Act,
  type Demand,
  follows,
  header,
  inventedBytes,
  inventedText,
  type Speaker,
  someOthers,
} from "../lie.ts";
import { mustSeeThrough } from "./talking.ts";
import { inventedElection, mustConvict } from "./voting.ts";

function chunkOf(
  speaker: Speaker,
  node: NodeView,
  to: NodeId,
  content: { readonly index: number; readonly digest: string; readonly bytes: Uint8Array },
): SnapshotChunk {
  const { configuration, configurationIndex, term } = node;
  const { index, digest, bytes } = content;
  return {
    type: "snapshotChunk",
    ...header(speaker, to, term),
    meta: {
      index,
      term,
      chain: inventedText(speaker.rng),
      configuration,
      configurationIndex,
      lineage: [],
      digest,
      chunkCount: 1,
      sizeBytes: bytes.length,
    },
    sequence: 0,
    bytes,
    certificate: null,
  };
}

export const forgedSnapshot: Act = (speaker) => {
  const { rng } = speaker;
  return {
    beside(node) {
      if (!speaker.ventures()) return [];
      const index = node.log.lastIndex + rng.integer(1, 5);
      const content = { index, digest: inventedText(rng), bytes: inventedBytes(rng, 200) };
      const isCertified = rng.chance(0.3);
      return someOthers(speaker, node).map((to) => {
        const chunk = chunkOf(speaker, node, to, content);
        if (node.role === "leader") {
          return speaker.lie(chunk, (receiver) =>
            follows(receiver, chunk) && index > receiver.commitIndex ? ["forgedSnapshot"] : null,
          );
        }
        if (!isCertified) return speaker.lie(chunk);
        const term = node.term + 1;
        const elected: Message = { ...chunk, term, certificate: inventedElection(speaker, node, term) };
        return speaker.lie(elected, mustConvict(elected));
      });
    },
  };
};

export const consistentForgedSnapshot: Act = (speaker) => {
  const { self, rng } = speaker;
  return {
    beside(node) {
      if (node.role !== "leader" || !speaker.ventures()) return [];
      // A cluster in which nothing was ever done.
      const chunks = [...encodeSnapshot(emptyState(), 1024)];
      const [bytes] = chunks;
      if (bytes === undefined || chunks.length > 1) return [];
      const index = node.log.lastIndex + rng.integer(1, 5);
      const content = { index, digest: snapshotDigest(self.runtime, chunks), bytes };
      return someOthers(speaker, node)
        .slice(0, 1)
        .map((to) => {
          const chunk = chunkOf(speaker, node, to, content);
          return speaker.lie(chunk, (receiver) =>
            follows(receiver, chunk) && index > receiver.commitIndex ? [] : null,
          );
        });
    },
  };
};

export const forgedJoin: Act = (speaker) => {
  const { self, rng } = speaker;
  const { ghost } = self;

  function link(node: NodeView): LineageLink | null {
    const { configuration } = node;
    if (configuration.outgoing.length > 0) return null;
    const joint = admitting(configuration, ghost.id, ghost.runtime.peerId);
    const statement = inventedBytes(rng, 16);
    const signatures = joint.voters.map((id) => {
      const runtime = id === self.id ? self.runtime : id === ghost.id ? ghost.runtime : null;
      return { id, signature: runtime === null ? inventedText(rng) : runtime.sign(statement) };
    });
    return { jointIndex: node.log.lastIndex + rng.integer(1, 100), jointTerm: node.term, joint, signatures };
  }

  function introduction(node: NodeView, to: NodeId, from: NodeId): Message | null {
    const forged = link(node);
    if (forged === null) return null;
    const message: Message = { type: "introduction", ...header(speaker, to, node.term), from, links: [forged] };
    const mustRefuse = mustRefuseLink(forged);
    return from === ghost.id ? speaker.lieAsGhost(message, mustRefuse) : speaker.lie(message, mustRefuse);
  }

  /** What a member might say, said by a peer that is no member. */
  function ghostSpeaks(node: NodeView, to: NodeId, from: NodeId): Message {
    const { lastIndex } = node.log;
    const of = { ...header(speaker, to, node.term), from };
    const message: Message = rng.chance(0.5)
      ? { type: "heartbeat", ...of, commit: lastIndex, round: 1 }
      : {
          type: "requestVote",
          ...of,
          term: node.term + 1,
          preVote: true,
          lastIndex: lastIndex + 10,
          lastTerm: node.term + 1,
          certificate: null,
          transfer: "",
        };
    return speaker.lieAsGhost(message, mustSeeThrough(message, ghost.runtime.peerId));
  }

  /** Who has asked the ghost who it is. */
  const curious: NodeId[] = [];
  return {
    heard(_from, message) {
      if (message.to !== ghost.id) return message;
      if (message.type === "whoAreYou" && curious.length < 8) curious.push(message.from);
      return null;
    },
    beside(node) {
      const said: (Message | null)[] = curious.splice(0).map((to) => introduction(node, to, ghost.id));
      if (speaker.ventures()) {
        for (const to of someOthers(speaker, node)) {
          const kind = rng.integer(0, 3);
          if (kind === 0) said.push(introduction(node, to, self.id));
          else if (kind === 1) said.push(introduction(node, to, ghost.id));
          else said.push(ghostSpeaks(node, to, kind === 2 ? ghost.id : self.id));
        }
      }
      return said.filter((message) => message !== null);
    },
  };
};

/** Whoever acts by the configuration that it claims to continue checks its signatures. */
export function mustRefuseLink({ jointIndex, joint }: LineageLink): Demand {
  return ({ configuration, configurationIndex, commitIndex }) => {
    const { voters, outgoing } = configuration;
    const isCurrent = outgoing.length === 0 && configurationIndex <= commitIndex && configurationIndex < jointIndex;
    const continues = voters.length === joint.outgoing.length && voters.every((id) => joint.outgoing.includes(id));
    return isCurrent && continues ? ["forgedLineage"] : null;
  };
}

function admitting(configuration: Configuration, id: NodeId, peerId: string): Configuration {
  return {
    ...configuration,
    voters: [...configuration.voters, id],
    outgoing: configuration.voters,
    members: [...configuration.members, { id, peerId, promote: false }],
  };
}
