/**
 * What must never go back: term, commit index and applied index while a process runs; the durable term and vote over
 * the life of a disk; and whatever vote a node has given away, over restarts.
 *
 * Checks each of them whenever it changed, and at every boot. Within a term a vote is given once and never changed.
 * Also that applied <= committed <= the end of the log. Does not check: the commit and applied index over a restart
 * (they are found again from the snapshot on). A damaged disk is no excuse: checksums find the damage, and the node
 * does not start from what is left. An emptied one is an excuse only for a member that has no vote in the configuration
 * that it starts anew from, and never for a second vote.
 */
import { NOBODY, type NodeId } from "../../core/index.ts";
import { type MemberView, type Moment, momentText, type NodeView } from "../world/index.ts";
import type { OracleContext } from "./context.ts";
import type { Oracle, Watched } from "./oracle.ts";

/** What a member has shown of itself, kept over its restarts. */
interface Shown {
  /** Highest durable term seen, and the durable vote in it. */
  durableTerm: number;
  durableVote: NodeId;
  /** Newest term in which it told a candidate that it votes for it. */
  grantedTerm: number;
  grantedTo: NodeId;
  /** It was told since it last started anew, with no vote: until it grants another it need not know of that one. */
  grantIsKnown: boolean;
  startsAnew: number;
  /** Since when each of these is so; null: not yet. */
  durableSince: Moment | null;
  grantedSince: Moment | null;
  /** When its commit index, and its applied index, last changed. */
  readonly committedSince: Moved;
  readonly appliedSince: Moved;
}

/** A moment that is written over. */
interface Moved extends Moment {
  event: number;
  atMs: number;
}

export function monotonic({ violate, conditions, now }: OracleContext): Oracle {
  const name = "monotonic";
  const shownByHost: Shown[] = [];

  function shownBy(member: MemberView): Shown {
    let shown = shownByHost[member.id];
    if (shown === undefined) {
      while (shownByHost.length < member.id) shownByHost.push(nothingShown());
      shown = nothingShown();
      shownByHost[member.id] = shown;
    }
    return shown;
  }

  function checkDurable(oracle: Oracle, member: MemberView): void {
    const shown = shownBy(member);
    const { durableTerm: term, durableVote: vote } = member.disk;
    if (term === shown.durableTerm && vote === shown.durableVote) return;
    oracle.checks += 1;
    const { durableTerm: termBefore, durableVote: voteBefore } = shown;
    const since = shown.durableSince;
    shown.durableTerm = term;
    shown.durableVote = vote;
    shown.durableSince = now();
    if (term < termBefore) {
      violate(
        name,
        () => `the durable term of node ${member.id} went back from ${termBefore}${sinceText(since)} to ${term}`,
      );
    } else if (term === termBefore && voteBefore !== NOBODY) {
      violate(
        name,
        () =>
          `the durable vote of node ${member.id} in term ${term} changed from ${voteBefore}${sinceText(since)} to ` +
          `${vote}`,
      );
    }
  }

  function checkHardState(watched: Watched, node: NodeView): void {
    const { term, votedFor } = node;
    if (term < watched.term) {
      violate(name, () => `the term of node ${node.id} went back from ${watched.term} to ${term}`);
    } else if (term === watched.term && watched.votedFor !== NOBODY && votedFor !== watched.votedFor) {
      violate(
        name,
        () => `the vote of node ${node.id} in term ${term} changed from ${watched.votedFor} to ${votedFor}`,
      );
    }
  }

  /** It remembers nothing, but by what it was given to start from it has no vote to give twice. */
  function startsWithoutVote(member: MemberView, node: NodeView): boolean {
    const shown = shownBy(member);
    if (member.disk.startsAnew === shown.startsAnew) return false;
    shown.startsAnew = member.disk.startsAnew;
    if (node.configuration.voters.includes(node.id) || node.configuration.outgoing.includes(node.id)) return false;
    shown.durableTerm = member.disk.durableTerm;
    shown.durableVote = member.disk.durableVote;
    shown.durableSince = now();
    shown.grantIsKnown = false;
    return true;
  }

  return {
    name,
    summary: "terms, votes, commit and applied indexes never go back",
    checks: 0,
    booted(watched, node) {
      const { member } = watched;
      if (startsWithoutVote(member, node)) return;
      checkDurable(this, member);
      this.checks += 1;
      const shown = shownBy(member);
      const { term, votedFor } = node;
      const { durableTerm, durableVote, durableSince, grantedTerm, grantedTo, grantedSince, grantIsKnown } = shown;
      if (term < durableTerm) {
        violate(
          name,
          () =>
            `node ${node.id} restarted in term ${term} although ${durableTerm} was durable${sinceText(durableSince)}`,
        );
      } else if (term === durableTerm && durableVote !== NOBODY && votedFor !== durableVote) {
        violate(
          name,
          () =>
            `node ${node.id} restarted in term ${term} with its vote for ${votedFor}; for ${durableVote} was durable` +
            sinceText(durableSince),
        );
      }
      if (grantIsKnown && (term < grantedTerm || (term === grantedTerm && votedFor !== grantedTo))) {
        violate(
          name,
          () =>
            `node ${node.id} restarted in term ${term} with its vote for ${votedFor} after it had told ` +
            `${grantedTo} that it votes for it in term ${grantedTerm}${sinceText(grantedSince)}`,
        );
      }
    },
    hardState(watched, node) {
      this.checks += 1;
      checkHardState(watched, node);
      checkDurable(this, watched.member);
    },
    logged(_watched, node) {
      this.checks += 1;
      checkOrder(node);
    },
    committed(watched, node) {
      this.checks += 1;
      const before = watched.commitIndex;
      if (node.commitIndex < before) {
        const { commitIndex } = node;
        const since = { ...shownBy(watched.member).committedSince };
        violate(
          name,
          () => `the commit index of node ${node.id} went back from ${before}${sinceText(since)} to ${commitIndex}`,
        );
      }
      moved(shownBy(watched.member).committedSince);
      checkOrder(node);
    },
    applied(watched, node) {
      this.checks += 1;
      const before = watched.appliedIndex;
      if (node.appliedIndex < before) {
        const { appliedIndex } = node;
        const since = { ...shownBy(watched.member).appliedSince };
        violate(
          name,
          () => `the applied index of node ${node.id} went back from ${before}${sinceText(since)} to ${appliedIndex}`,
        );
      }
      moved(shownBy(watched.member).appliedSince);
      checkOrder(node);
    },
    promised(watched, _node, message) {
      if (message.type !== "voteResponse" || message.preVote || !message.granted) return;
      this.checks += 1;
      checkDurable(this, watched.member);
      const shown = shownBy(watched.member);
      const { term, to } = message;
      const { grantedTerm, grantedTo, grantedSince } = shown;
      if (term === grantedTerm && to !== grantedTo) {
        violate(
          name,
          () =>
            `node ${watched.member.id} votes for ${to} in term ${term} after it voted for ${grantedTo}` +
            sinceText(grantedSince),
        );
      } else if (term > grantedTerm) {
        shown.grantedTerm = term;
        shown.grantedTo = to;
        shown.grantIsKnown = true;
        shown.grantedSince = now();
      }
    },
  };

  function moved(since: Moved): void {
    since.event = conditions.events;
    since.atMs = conditions.nowUs / 1000;
  }

  function checkOrder(node: NodeView): void {
    const { appliedIndex, commitIndex } = node;
    const { lastIndex } = node.log;
    if (appliedIndex <= commitIndex && commitIndex <= lastIndex) return;
    violate(
      name,
      () =>
        `node ${node.id} has applied ${appliedIndex} and committed ${commitIndex} of a log that ends at ${lastIndex}`,
    );
  }
}

function nothingShown(): Shown {
  return {
    durableTerm: 0,
    durableVote: NOBODY,
    grantedTerm: 0,
    grantedTo: NOBODY,
    startsAnew: 0,
    grantIsKnown: false,
    durableSince: null,
    grantedSince: null,
    committedSince: { event: 0, atMs: 0 },
    appliedSince: { event: 0, atMs: 0 },
  };
}

/** When the first of two facts came to be. */
function sinceText(since: Moment | null): string {
  return since === null ? "" : ` (at ${momentText(since)})`;
}
