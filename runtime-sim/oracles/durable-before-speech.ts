/**
 * Durability before speech: a message that promises something leaves only after the write that makes it true is
 * durable (Ongaro's thesis, 3.8). A crash then cannot break the promise.
 *
 * Checks, at the moment of sending and against the simulator's own book-keeping of the disk:
 * - a granted vote: the vote is durable, for that candidate in that term;
 * - a matched append: the disk holds the chain that was matched, and the term in which it was;
 * - an installed snapshot: the disk reaches as far;
 * - a node that begins to lead: its own vote is durable, unless the votes that others gave it are a quorum without it.
 * Does not check: pre-votes, refusals and signatures, which promise nothing that a crash could break; that the message
 * is true otherwise; Byzantine peers (a vote that one of them may have given counts as given).
 */
import type { Digest, NodeId } from "../../core/index.ts";
import type { MemberView } from "../world/index.ts";
import type { OracleContext } from "./context.ts";
import type { Oracle, Promised } from "./oracle.ts";
import { isQuorum } from "./quorum.ts";

/** The votes given to one candidate in the newest term for which it got any. */
interface Votes {
  term: number;
  readonly voters: Set<NodeId>;
}

export function durableBeforeSpeech({ violate, ledger, findMember }: OracleContext): Oracle {
  const name = "durable-before-speech";
  const votesByCandidate = new Map<NodeId, Votes>();
  function checkVote(member: MemberView, term: number, candidate: NodeId): void {
    let votes = votesByCandidate.get(candidate);
    if (votes === undefined) {
      votes = { term, voters: new Set() };
      votesByCandidate.set(candidate, votes);
    }
    if (votes.term !== term) {
      votes.term = term;
      votes.voters.clear();
    }
    votes.voters.add(member.id);

    const { durableTerm, durableVote } = member.disk;
    // A later durable term leaves no trace of the vote.
    if (durableTerm > term || (durableTerm === term && durableVote === candidate)) return;
    violate(
      name,
      () =>
        `node ${member.id} votes for ${candidate} in term ${term}, but durable is only its vote for ` +
        `${durableVote} in term ${durableTerm}`,
    );
  }

  function checkMatched({ disk, id }: MemberView, index: number, chain: Digest, term: number): void {
    const { durableLastIndex, durableTerm } = disk;
    if (index > durableLastIndex) {
      violate(name, () => `node ${id} says that it matches up to ${index}, but its disk ends at ${durableLastIndex}`);
      return;
    }
    // Null: behind a snapshot, so it was committed; or damaged since.
    const durable = disk.durableChainAt(index) ?? ledger.chainAt(index);
    if (durable !== null && durable !== chain) {
      violate(
        name,
        () => `node ${id} says that it matches chain ${chain} at index ${index}, but its disk holds ${durable}`,
      );
    } else if (durableTerm < term) {
      violate(
        name,
        () =>
          `node ${id} acknowledges index ${index} in term ${term}, but after a crash it would be back in term ` +
          `${durableTerm}`,
      );
    }
  }

  function check(oracle: Oracle, member: MemberView, message: Promised): void {
    switch (message.type) {
      case "voteResponse":
        if (message.preVote || !message.granted) return;
        oracle.checks += 1;
        checkVote(member, message.term, message.to);
        return;
      case "appendResponse":
        if (message.outcome !== "matched") return;
        oracle.checks += 1;
        checkMatched(member, message.matchIndex, message.matchChain, message.term);
        return;
      case "snapshotResponse": {
        if (message.outcome !== "installed") return;
        oracle.checks += 1;
        const { index } = message;
        const { durableLastIndex } = member.disk;
        if (durableLastIndex >= index) return;
        violate(
          name,
          () =>
            `node ${member.id} says that it installed a snapshot up to ${index}, but its disk ends at ` +
            `${durableLastIndex}`,
        );
        return;
      }
    }
  }

  return {
    name,
    summary: "votes, matches and snapshots are durable before others are told",
    checks: 0,
    elected(watched, node) {
      const { member } = watched;
      if (!member.honest) return;
      this.checks += 1;
      const { term, id } = node;
      const { durableTerm, durableVote } = member.disk;
      if (durableTerm > term || (durableTerm === term && durableVote === id)) return;
      const votes = votesByCandidate.get(id);
      const gave = (voter: NodeId): boolean => {
        if (voter === id) return false;
        if (findMember(voter)?.honest === false) return true;
        return votes !== undefined && votes.term === term && votes.voters.has(voter);
      };
      if (isQuorum(node.configuration, gave)) return;
      violate(
        name,
        () =>
          `node ${id} leads term ${term} by its own vote, but durable is only its vote for ${durableVote} in ` +
          `term ${durableTerm}`,
      );
    },
    promised({ member }, _node, message) {
      check(this, member, message);
    },
  };
}
