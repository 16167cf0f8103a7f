/**
 * What nodes hold while something is under way, and must have let go of when nothing is any more. Not an oracle: the
 * quiet phase asks it of the nodes that must be live, until it is so or the bound has passed.
 *
 * Checks that each of these was empty at some look since the node was first asked: proposals on their way into the
 * log, requests of clients, reads of its own and of other members, reports of workers, writes and messages that wait
 * for the disk, a snapshot that is being encoded; and on the leader what it counts as uncommitted, and what is in
 * flight to each member that must be live, chunks of a snapshot included. Workers go on reporting at rest, so it need
 * not all be empty at once, and of many workers there is always one whose report is under way: of reports each that
 * was there at the first look must have gone. Does not check: what a node keeps on purpose, such as the chunks of a
 * snapshot that it has half of; whether a count is right while it is not zero.
 */
import type { NodeId, NodeState } from "../../core/index.ts";

/** A node that tells what it holds. */
export interface Holder {
  readonly id: NodeId;
  capture(): Pick<NodeState, "raft" | "batch" | "clients" | "reports" | "snapshots">;
}

type Held = ReturnType<Holder["capture"]>;

interface Amount {
  readonly what: string;
  readonly count: (held: Held) => number;
}

interface Things {
  readonly what: string;
  readonly list: (held: Held) => readonly object[];
}

const OF_ITSELF: readonly Amount[] = [
  { what: "proposals on their way into the log", count: ({ batch }) => batch.proposals.length },
  { what: "bytes of proposals on their way into the log", count: ({ batch }) => batch.bytes },
  { what: "requests of clients", count: ({ clients }) => clients.pending.byTicket.size },
  { what: "reads that wait to be applied", count: ({ clients }) => clients.reads.size },
  { what: "a transfer of leadership", count: ({ clients }) => (clients.transfer === null ? 0 : 1) },
  { what: "reads that wait for a round", count: ({ raft }) => raft.reads.pending.length },
  { what: "reads that may be served", count: ({ raft }) => raft.reads.ready.length },
  { what: "writes under way", count: ({ raft }) => raft.outbox.pendingWrites.length },
  { what: "messages that wait for a write", count: ({ raft }) => raft.outbox.messages.length },
  { what: "own votes that wait for a write", count: ({ raft }) => raft.outbox.ownVotes.length },
  { what: "a snapshot that is encoded", count: ({ snapshots }) => (snapshots.encoding === null ? 0 : 1) },
];

const REPORTS: readonly Things[] = [
  { what: "reports that wait for a round", list: ({ reports }) => reports.waiting },
  { what: "reports in a round", list: ({ reports }) => reports.inRound },
  { what: "reports that were passed on", list: ({ reports }) => [...reports.passed.values()] },
];

const OF_LEADERS: readonly Amount[] = [
  { what: "uncommitted bytes", count: ({ raft }) => raft.leadership.uncommittedBytes },
  {
    what: "a transfer of leadership under way",
    count: ({ raft }) => (raft.leadership.transferring === null ? 0 : 1),
  },
];

export class AtRest {
  /** For each node what has been empty so far. A process that starts meanwhile is another node. */
  readonly #empty = new Map<Holder, Set<string>>();
  /** For each node those of the first look that have been there ever since. */
  readonly #first = new Map<Holder, ReadonlyMap<string, Set<object>>>();

  /** Null when all of `nodes` have let go of everything; otherwise what one still holds. */
  whyNot(nodes: readonly Holder[]): string | null {
    let reason: string | null = null;
    for (const node of nodes) {
      const held = node.capture();
      const others = nodes.map(({ id }) => id).filter((id) => id !== node.id);
      for (const { what, count } of amountsOf(held, others)) {
        const holds = this.#stillHolds(node, what, count(held));
        if (holds !== 0) reason ??= `node ${node.id} still holds ${what}: ${holds}`;
      }
      for (const [what, { size }] of this.#remaining(node, held))
        if (size > 0) reason ??= `node ${node.id} still holds ${what}: ${size}`;
    }
    return reason;
  }

  #remaining(node: Holder, held: Held): ReadonlyMap<string, ReadonlySet<object>> {
    const first = this.#first.get(node) ?? new Map(REPORTS.map(({ what, list }) => [what, new Set(list(held))]));
    this.#first.set(node, first);
    for (const { what, list } of REPORTS) {
      const now = new Set(list(held));
      const remaining = first.get(what);
      for (const thing of remaining ?? []) if (!now.has(thing)) remaining?.delete(thing);
    }
    return first;
  }

  #stillHolds(node: Holder, what: string, count: number): number {
    const empty = this.#empty.get(node) ?? new Set();
    this.#empty.set(node, empty);
    if (count === 0) empty.add(what);
    return empty.has(what) ? 0 : count;
  }
}

function amountsOf({ raft }: Held, others: readonly NodeId[]): readonly Amount[] {
  if (raft.role !== "leader") return OF_ITSELF;
  return [...OF_ITSELF, ...OF_LEADERS, ...others.flatMap(inFlightTo)];
}

function inFlightTo(id: NodeId): readonly Amount[] {
  return [
    {
      what: `appends in flight to node ${id}`,
      count: ({ raft }) => raft.leadership.progress.get(id)?.lastIndexes.length ?? 0,
    },
    { what: `bytes in flight to node ${id}`, count: ({ raft }) => raft.leadership.progress.get(id)?.bytes ?? 0 },
    {
      what: `a snapshot on its way to node ${id}`,
      count: ({ raft }) => (raft.leadership.progress.get(id)?.transfer == null ? 0 : 1),
    },
  ];
}
