/** Lies of an elected leader: about what the log holds, and how much of it is committed. */
import {
  type Append,
  chainLink,
  type Digest,
  type Entry,
  type EvidenceKind,
  type NodeId,
} from "../../../core/index.ts";
import type { NodeView } from "../../world/index.ts";
import { type Act, type Believes, follows, othersOf, type Speaker } from "../lie.ts";

/** Offset of the leader's wall clock in a command's entry. */
const WALL_CLOCK_AT = 1;
const STAMP_BYTES = 13;

export const equivocation: Act = (speaker) => {
  const { self } = speaker;
  const forks = new Forks(speaker);
  return {
    heard(_from, message) {
      // A victim may acknowledge what the liar's own core never said.
      return message.type === "appendResponse" && forks.isEcho(message.matchChain) ? null : message;
    },
    instead(node, message) {
      if (message.type !== "append" || node.role !== "leader" || message.entries.length === 0) return message;
      if (!forks.victims(node).includes(message.to) || !speaker.tempted()) return message;
      const at = message.entries.findIndex(({ kind, term }) => kind === "command" && term === node.term);
      if (at < 0) return message;
      return speaker.lie({ ...message, entries: forks.otherEntries(message, at) });
    },
    witness(receiver, message) {
      return message.type === "append" && message.from === self.id ? shownTwoContents(receiver, message) : null;
    },
  };
};

export const rewriteCommitted: Act = (speaker) => {
  const forks = new Forks(speaker);
  /** One victim only: it may stop for good, and the others must stay live. */
  let victim: NodeId | null = null;
  return {
    beside(node) {
      if (node.role !== "leader" || !speaker.ventures()) return [];
      const index = node.commitIndex - speaker.rng.integer(0, 3);
      const entry = node.log.entryAt(index);
      const prevTerm = node.log.termAt(index - 1);
      const prevChain = node.log.chainAt(index - 1);
      if (entry === null || entry.kind !== "command" || prevTerm === null || prevChain === null) return [];
      victim ??= forks.victims(node)[0] ?? null;
      if (victim === null) return [];
      const honest: Append = {
        type: "append",
        clusterId: speaker.self.clusterId,
        incarnation: speaker.self.incarnation,
        from: speaker.self.id,
        to: victim,
        term: node.term,
        prevIndex: index - 1,
        prevTerm,
        prevChain,
        entries: [entry],
        commit: 0,
        certificate: null,
      };
      const message: Append = { ...honest, entries: forks.otherEntries(honest, 0) };
      return [
        speaker.lie(message, (receiver) =>
          follows(receiver, message) && index <= receiver.commitIndex && receiver.log.chainAt(index) === entry.chain
            ? ["truncateCommitted", "twoContents"]
            : null,
        ),
      ];
    },
  };
};

const commits: Believes = (before, after) => after.commitIndex > before.commitIndex;

export const prematureCommit: Act = (speaker) => ({
  instead(node, message) {
    if (node.role !== "leader") return message;
    if (message.type === "append" && (message.entries.length > 0 || message.commit < message.prevIndex)) {
      const commit = message.prevIndex + message.entries.length;
      // The entries themselves are no lie.
      return speaker.tempted() ? speaker.lie({ ...message, commit }, undefined, commits) : message;
    }
    if (message.type === "heartbeat" && message.commit < node.log.lastIndex) {
      const commit = node.log.lastIndex;
      return speaker.tempted() ? speaker.lie({ ...message, commit }, undefined, commits) : message;
    }
    return message;
  },
});

/** Other contents, properly chained. */
class Forks {
  readonly #speaker: Speaker;
  readonly #chains = new Set<Digest>();
  #victims: readonly NodeId[] = [];
  #term = 0;

  constructor(speaker: Speaker) {
    this.#speaker = speaker;
  }

  /** Drawn once for each term that it leads. */
  victims(node: NodeView): readonly NodeId[] {
    if (this.#term !== node.term) {
      this.#term = node.term;
      const { rng, audience } = this.#speaker;
      this.#victims = rng.shuffle(othersOf(this.#speaker, node)).slice(0, audience);
    }
    return this.#victims;
  }

  isEcho(chain: Digest): boolean {
    return this.#chains.has(chain);
  }

  /** The entries of an append, the one at `at` with another content, and all chains from there on made to fit. */
  otherEntries({ entries, prevChain }: Append, at: number): Entry[] {
    const forked = entries.slice(0, at);
    let chain = forked[at - 1]?.chain ?? prevChain;
    for (const entry of entries.slice(at)) {
      const { index, term, kind } = entry;
      const data = forked.length === at ? otherContent(entry) : entry.data;
      chain = chainLink(this.#speaker.self.runtime, chain, index, term, kind, data);
      forked.push({ index, term, kind, data, chain });
      this.#chains.add(chain);
    }
    return forked;
  }
}

/** The same command, a millisecond later: it applies as well as the first one, and to something else. */
function otherContent({ data }: Entry): Uint8Array {
  const copy = Uint8Array.from(data);
  if (copy.length < STAMP_BYTES) return copy;
  const view = new DataView(copy.buffer);
  view.setFloat64(WALL_CLOCK_AT, view.getFloat64(WALL_CLOCK_AT) + 1);
  return copy;
}

/** Whether the append contradicts an entry of the same index and term that is here. */
function shownTwoContents(receiver: NodeView, append: Append): readonly EvidenceKind[] | null {
  if (!follows(receiver, append)) return null;
  const { log } = receiver;
  const { prevIndex, prevTerm, prevChain, entries } = append;
  if (log.termAt(prevIndex) !== prevTerm) return null;
  const convicts = (index: number, term: number): readonly EvidenceKind[] | null =>
    // Contents of an earlier term may be another leader's lie.
    term === append.term && index > 0 ? ["twoContents", "truncateCommitted"] : null;
  if (log.chainAt(prevIndex) !== prevChain) return convicts(prevIndex, prevTerm);
  for (const { index, term, chain } of entries) {
    const here = log.termAt(index);
    if (here === null) return null;
    if (log.chainAt(index) === chain) continue;
    return here === term ? convicts(index, term) : null;
  }
  return null;
}
