/**
 * Where the other members are, as one member knows it, and what it does about it.
 *
 * The configurations say who the members are, those that a node was shown with proof too: one that was away must be
 * able to answer whoever leads now. Where a member is comes from three sources: what it says when it connects to this
 * node, what replicated state has of it, and what this node has on its disk. None of them is always the newest: after a
 * restart the replicated state is that of the last snapshot, and what was said is forgotten. So all of these addresses
 * are tried. A connection proves who is at its other end, so a wrong address costs an attempt and nothing else.
 *
 * A member that comes back at another address reaches the others, and they do not reach it. It hears no leader then,
 * so it cannot tell the cluster by itself. Whoever it has connected to does that for it.
 */
import { announcementRefusal, type Command, nodeOf } from "../cluster/index.ts";
import { CLUSTER_LIMITS } from "../domain/index.ts";
import { NOBODY, type NodeId, type PeerId } from "../raft/index.ts";
import type { ClientAnswer } from "../runtime.ts";
import type { Node } from "./node.ts";

/** A member, and where to find it: host:port each, the most likely one first. */
export interface MemberPlace {
  readonly id: NodeId;
  readonly peerId: PeerId;
  readonly addresses: readonly string[];
}

export type Announcement = Extract<Command, { readonly kind: "announceNode" }>;

/** Addresses of one member that are kept beside those of the newest source. */
const OLDER_MAX = CLUSTER_LIMITS.addresses;
/** How often `announcement` waits for a member before this node speaks for it. */
const PATIENCE = 3;

export class AddressBook {
  readonly #self: MemberPlace;
  readonly #node: Pick<Node, "configuration" | "peers" | "state" | "leaderId">;
  #remembered: ReadonlyMap<PeerId, readonly string[]>;
  readonly #told = new Map<PeerId, readonly string[]>();
  /** Members whose addresses the cluster is still to be told, and how often `announcement` has waited for them. */
  readonly #unannounced = new Map<PeerId, number>();

  /** `remembered`: what `remember` returned last, in this process or an earlier one. */
  constructor(
    self: MemberPlace,
    node: Pick<Node, "configuration" | "peers" | "state" | "leaderId">,
    remembered: readonly MemberPlace[],
  ) {
    this.#self = self;
    this.#node = node;
    this.#remembered = byPeer(remembered);
  }

  /** The other members. */
  peers(): readonly MemberPlace[] {
    const places: MemberPlace[] = [];
    for (const [id, peerId] of this.#node.peers)
      if (id !== this.#self.id) places.push({ id, peerId, addresses: this.#addressesOf(id, peerId) });
    return places;
  }

  /**
   * To be called when the peers of the node or the records of nodes have changed, or a member has told where it is.
   * Returns what belongs on the disk, for the next process.
   */
  remember(): readonly MemberPlace[] {
    const peers = this.peers();
    this.#remembered = byPeer(peers);
    return peers;
  }

  /** A member that has connected says where it is. Returns whether that is news. Others are not listened to. */
  told(peerId: PeerId, addresses: readonly string[]): boolean {
    const member = this.peers().find((candidate) => candidate.peerId === peerId);
    if (member === undefined || addresses.length === 0) return false;
    this.#told.set(peerId, addresses);
    this.#unannounced.set(peerId, 0);
    return !isSame(member.addresses, this.#addressesOf(member.id, peerId));
  }

  /**
   * To be called every second. What replicated state should be told next; null: nothing, or there is no leader to
   * commit it. Others are given some time to speak for themselves.
   */
  announcement(): Announcement | null {
    const { configuration, leaderId } = this.#node;
    if (leaderId === NOBODY || !configuration.members.some(({ id }) => id === this.#self.id)) return null;
    const { id: ownId, peerId: ownPeerId, addresses: own } = this.#self;
    if (this.#isWanted(ownId, ownPeerId, own)) return announcementOf(ownId, ownPeerId, own);
    for (const { id, peerId } of configuration.members) {
      const told = this.#told.get(peerId);
      const waited = this.#unannounced.get(peerId);
      if (told === undefined || waited === undefined) continue;
      if (isSame(this.#recorded(id, peerId), told)) this.#unannounced.delete(peerId);
      else if (!this.#isWanted(id, peerId, told)) continue;
      else if (waited >= PATIENCE) return announcementOf(id, peerId, told);
      else this.#unannounced.set(peerId, waited + 1);
    }
    return null;
  }

  /**
   * What came of an announcement. What a member has told is passed on once: it may have moved since, and then it is
   * for others to say where.
   */
  answered({ peerId }: Announcement, { kind }: ClientAnswer): void {
    if (kind === "applied") this.#unannounced.delete(peerId);
  }

  /** Those of the newest source, and then the older ones. */
  #addressesOf(id: NodeId, peerId: PeerId): readonly string[] {
    const told = this.#told.get(peerId) ?? [];
    const recorded = this.#recorded(id, peerId);
    const newest = told.length > 0 ? told : recorded;
    const all = new Set([...newest, ...recorded, ...(this.#remembered.get(peerId) ?? [])]);
    return [...all].slice(0, newest.length + OLDER_MAX);
  }

  /** Not what would be refused: that would be asked every second, and each time be an entry of the log. */
  #isWanted(id: NodeId, peerId: PeerId, addresses: readonly string[]): boolean {
    if (isSame(this.#recorded(id, peerId), addresses)) return false;
    return announcementRefusal(this.#node.state, id, peerId) === null;
  }

  /** What another identity has announced under a member's id does not count. */
  #recorded(id: NodeId, peerId: PeerId): readonly string[] {
    const record = nodeOf(this.#node.state, id);
    return record?.peerId === peerId ? record.addresses : [];
  }
}

function byPeer(places: readonly MemberPlace[]): ReadonlyMap<PeerId, readonly string[]> {
  return new Map(places.map(({ peerId, addresses }) => [peerId, addresses]));
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((address, at) => address === b[at]);
}

function announcementOf(nodeId: NodeId, peerId: PeerId, addresses: readonly string[]): Announcement {
  return { kind: "announceNode", nodeId, peerId, addresses };
}
