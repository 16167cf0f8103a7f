/**
 * A member as the world runs it: its identity, its disk, and its process while there is one. It lives at a place, which has the clock and the network
 * address; when its disk is lost the place gets another host, under another identity.
 */
import type { Configuration, Digest, Node, NodeId, PeerId } from "../../core/index.ts";
import type { Disk, HostClock } from "../hardware/index.ts";
import type { Stream } from "../random/index.ts";
import type { Caller, SimEvent } from "./event.ts";
import type { Identity } from "./identity.ts";
import type { Liar } from "./liar.ts";
import type { DurableView, ObservedNode } from "./observer.ts";

/** down: it can be started again. gone: never. */
export type HostState = "down" | "up" | "gone";

/** What oracles see of a disk. */
export class ObservedDisk implements DurableView {
  readonly storage: Disk;
  faults = 0;

  constructor(storage: Disk) {
    this.storage = storage;
  }

  get durableLastIndex(): number {
    return this.storage.durableLastIndex;
  }
  get durableTerm(): number {
    return this.storage.durableTerm;
  }
  get durableVote(): NodeId {
    return this.storage.durableVote;
  }
  durableTermAt(index: number): number | null {
    return this.storage.durableTermAt(index);
  }
  durableChainAt(index: number): Digest | null {
    return this.storage.durableChainAt(index);
  }
}

/** Who waits for the answer to a request. */
export interface Call {
  readonly caller: Caller;
  readonly attempt: number;
}

export class Host implements ObservedNode {
  readonly id: NodeId;
  readonly peerId: PeerId;
  readonly identity: Identity;
  readonly place: Place;
  readonly storage: Disk;
  readonly disk: ObservedDisk;
  readonly dice: Stream;
  readonly liar: Liar | null;
  readonly honest: boolean;
  node: Node | null = null;
  boots = 0;
  state: HostState = "down";
  /** It has stopped itself, for a reason that a restart does not mend. */
  failStopped = false;
  /** The disk holds damage that the last start found. */
  damageFound = false;

  /** What the node asked for, on its monotonic clock. */
  deadlineMs = Infinity;
  /** For when the wake event that is under way was meant; Infinity when there is none. */
  armedMs = Infinity;
  /** The number of that event. */
  wakeNumber = 0;
  /** When the disk event that is under way comes; Infinity when there is none. */
  diskArmedUs = Infinity;

  /** Requests of this process, by the numbers that it knows them by. They start anew with each process. */
  readonly calls = new Map<number, Call>();
  nextRequestId = 1;

  wasLeader = false;
  /** The last term in which it led and committed something. */
  committedTerm = 0;
  /** What the last process acted by when it ended. */
  lastConfiguration: Configuration | null = null;

  constructor(id: NodeId, identity: Identity, place: Place, storage: Disk, dice: Stream, liar: Liar | null) {
    this.id = id;
    this.peerId = identity.peerId;
    this.identity = identity;
    this.place = place;
    this.storage = storage;
    this.disk = new ObservedDisk(storage);
    this.dice = dice;
    this.liar = liar;
    this.honest = liar === null;
  }

  /** What it acts by, or did when it last ran. */
  get configuration(): Configuration | null {
    return this.node?.configuration ?? this.lastConfiguration;
  }
}

/** Where a host lives. Pauses, slowness and clocks belong to the place. */
export class Place {
  /** From 0; its number in the network. */
  readonly index: number;
  readonly clock: HostClock;
  readonly baseRate: number;
  host: Host | null = null;
  /** Identities issued here so far. */
  lives = 0;
  pauses = 0;
  /** How long each input takes, of every slowness under way. */
  readonly slowness: number[] = [];
  /** Inputs that wait for the process. */
  inbox: SimEvent[] = [];
  draining = false;
  readonly drifts: { readonly factor: number }[] = [];
  readonly writeTraps = new Set<() => void>();

  constructor(index: number, clock: HostClock, baseRate: number) {
    this.index = index;
    this.clock = clock;
    this.baseRate = baseRate;
  }

  get inputUs(): number {
    let longest = 0;
    for (const inputUs of this.slowness) longest = Math.max(longest, inputUs);
    return longest;
  }
}
