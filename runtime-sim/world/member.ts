/** A member as the world runs it: its identity, its disk, and its process while there is one. */
import { type Configuration, type Digest, LEVEL, type Node, type NodeId, type PeerId } from "../../core/index.ts";
import type { Disk } from "../hardware/index.ts";
import type { Stream } from "../random/index.ts";
import type { Caller } from "./event.ts";
import type { SimHost } from "./host.ts";
import type { Identity } from "./identity.ts";
import type { Liar } from "./liar.ts";
import type { ClockView, DurableView, MemberView } from "./observer.ts";

/** down: it can be started again. gone: never. */
export type MemberState = "down" | "up" | "gone";

/** What oracles see of a disk. */
export class ObservedDisk implements DurableView {
  readonly storage: Disk;
  faults = 0;
  startsAnew = 0;

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

/** A request that waits for its answer. */
export interface Call {
  readonly caller: Caller;
  readonly attempt: number;
}

export class SimMember implements MemberView {
  readonly id: NodeId;
  readonly peerId: PeerId;
  readonly identity: Identity;
  readonly host: SimHost;
  readonly storage: Disk;
  readonly disk: ObservedDisk;
  readonly rng: Stream;
  readonly liar: Liar | null;
  readonly honest: boolean;
  node: Node | null = null;
  boots = 0;
  state: MemberState = "down";
  /** It has stopped itself, for a reason that a restart does not remove. */
  failStopped = false;
  /** The disk holds damage that the last start found. */
  damageFound = false;
  /** The feature level of the build that its next process runs. */
  level = LEVEL;
  /** The disk holds nothing any more. It starts again when the cluster gives it something to start from. */
  diskEmptied = false;

  /** What the node asked for, on its monotonic clock. */
  deadlineMs = Infinity;
  /** The deadline of the wake event in the queue; Infinity when there is none. */
  armedMs = Infinity;
  /** The number of that event. */
  wakeNumber = 0;
  /** When the disk event in the queue comes; Infinity when there is none. */
  diskArmedUs = Infinity;

  /** Open requests, by their numbers in this process. Numbers start again with each process. */
  readonly calls = new Map<number, Call>();
  nextRequestId = 1;

  wasLeader = false;
  /** The last term in which it led and committed something. */
  committedTerm = 0;
  /** The configuration that the last process acted by when it ended. */
  lastConfiguration: Configuration | null = null;

  constructor(id: NodeId, identity: Identity, host: SimHost, storage: Disk, rng: Stream, liar: Liar | null) {
    this.id = id;
    this.peerId = identity.peerId;
    this.identity = identity;
    this.host = host;
    this.storage = storage;
    this.disk = new ObservedDisk(storage);
    this.rng = rng;
    this.liar = liar;
    this.honest = liar === null;
  }

  get hostIndex(): number {
    return this.host.index;
  }

  awaits(requestId: number): boolean {
    return this.calls.has(requestId);
  }

  get clock(): ClockView {
    return this.host.clock;
  }

  /** The configuration it acts by, or the last one when it is down. */
  get configuration(): Configuration | null {
    return this.node?.configuration ?? this.lastConfiguration;
  }
}
