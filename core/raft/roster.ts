/**
 * Who takes part, as far as this node knows: the configurations in its log, the links that prove them, and the
 * members and identities that follow from both.
 */
import { assert } from "./assert.ts";
import { decodeConfigurationRecord } from "./codec/index.ts";
import { isVoter, leaveJoint } from "./configuration.ts";
import { LIMITS } from "./limits.ts";
import type { RaftLog } from "./log.ts";
import type {
  Configuration,
  ConfigurationRecord,
  Entry,
  LineageLink,
  Member,
  NodeId,
  PeerId,
  SnapshotMeta,
} from "./records.ts";

/** A configuration from the log or the snapshot, and the index of its entry. */
export interface PlacedConfiguration extends ConfigurationRecord {
  readonly index: number;
}

/** The final configuration after the newest link. */
export interface IntroducedConfiguration {
  readonly jointIndex: number;
  readonly configuration: Configuration;
  /** Its entry is in this node's own log; otherwise another member sent it. */
  readonly inLog: boolean;
}

export class Roster {
  readonly #id: NodeId;
  #configurations: PlacedConfiguration[];
  #lineage: readonly LineageLink[];
  #introduced: IntroducedConfiguration | null = null;
  #peers = new Map<NodeId, PeerId>();
  #bindings = new Map<NodeId, PeerId>();
  #leftBy: Configuration | null = null;
  #promotable = false;

  constructor(id: NodeId, meta: SnapshotMeta, log: Pick<RaftLog, "entryAt" | "lastIndex">) {
    this.#id = id;
    this.#lineage = meta.lineage;
    this.#configurations = [{ index: meta.configurationIndex, configuration: meta.configuration, link: null }];
    this.#placeFrom(log, meta.index + 1);
    this.#rebuild();
  }

  /** Newest last. The first is in force at the commit index, the others come after it. */
  get configurations(): readonly PlacedConfiguration[] {
    return this.#configurations;
  }

  get latest(): PlacedConfiguration {
    const last = this.#configurations[this.#configurations.length - 1];
    assert(last !== undefined, "a node always has a configuration");
    return last;
  }

  /** The configuration this node acts by: the latest in its log, committed or not (thesis 4.1). */
  get configuration(): Configuration {
    return this.latest.configuration;
  }

  /** The configuration in force at `index`, which is at or after the commit index's own. */
  configurationAt(index: number): PlacedConfiguration {
    let found = this.#configurations[0];
    for (const placed of this.#configurations) if (placed.index <= index) found = placed;
    assert(found !== undefined && found.index <= index, "no configuration is known at an index", index);
    return found;
  }

  /** What proves the present configuration to those who know an earlier one. Newest last, bounded. */
  get lineage(): readonly LineageLink[] {
    return this.#lineage;
  }

  /** A configuration that links prove, while this node does not know by its own log that it is committed. */
  get introduced(): IntroducedConfiguration | null {
    return this.#introduced;
  }

  /** An introduction or the log shows that this node's id has left for good. */
  get removed(): boolean {
    return this.#leftBy !== null;
  }

  /** The configuration that shows it, which is the last that this node knows by proof; null: it has not left. */
  get leftBy(): Configuration | null {
    return this.#leftBy;
  }

  /**
   * Whether this node may campaign: a voter of its latest configuration, or of one before it that is not known to be
   * replaced. One that is being removed may be the only one with the entry that removes it (thesis 4.2.2).
   */
  get promotable(): boolean {
    return this.#promotable;
  }

  /**
   * Members of the configurations that this node acts by, and of one that it has been shown with proof, itself too. The
   * same value until it changes.
   */
  get peers(): ReadonlyMap<NodeId, PeerId> {
    return this.#peers;
  }

  /** The identity that `id` must have for this node to handle its messages. */
  peerOf(id: NodeId): PeerId | undefined {
    return this.#peers.get(id);
  }

  /** The member with this identity. */
  idOf(peerId: PeerId): NodeId | undefined {
    for (const [id, known] of this.#peers) if (known === peerId) return id;
    return undefined;
  }

  /**
   * The identity to which `id` is bound by proof: by a committed configuration or an introduction. Present members
   * have one, and so has everyone who has left.
   */
  boundPeerOf(id: NodeId): PeerId | undefined {
    return this.#bindings.get(id);
  }

  /** Takes over the configuration of an entry that was just appended to the log. */
  place(entry: Entry): void {
    // A node that joined starts with a later configuration than those in the first part of the log.
    if (entry.index <= this.latest.index) return;
    const record = decodeConfigurationRecord(entry.data);
    this.#configurations.push({ index: entry.index, ...record });
    if (record.link !== null) this.#addLink(record.link, true);
    this.#rebuild();
  }

  /**
   * Forgets configurations that a truncation removed from the log. Links stay: their signatures are proof enough.
   */
  unplaceAfter(index: number): void {
    while (this.#configurations.length > 1 && this.latest.index > index) this.#configurations.pop();
    this.#rebuild();
  }

  /** Forgets configurations that a committed later one has replaced. */
  prune(commitIndex: number): void {
    let changed = false;
    for (
      let second = this.#configurations[1];
      second !== undefined && second.index <= commitIndex;
      second = this.#configurations[1]
    ) {
      this.#configurations.shift();
      changed = true;
    }
    const committed = this.#configurations[0];
    if (this.#introduced !== null && committed !== undefined && committed.index > this.#introduced.jointIndex) {
      this.#introduced = null;
      changed = true;
    }
    if (changed) this.#rebuild();
  }

  /**
   * A snapshot has replaced the log or its beginning. Its configuration replaces all others but those in the log
   * after it.
   */
  adopt(meta: SnapshotMeta, log: Pick<RaftLog, "entryAt" | "lastIndex">, commitIndex: number): void {
    const trusted = this.#configurations[0];
    if (trusted === undefined || trusted.index < meta.configurationIndex) {
      this.#configurations = [{ index: meta.configurationIndex, configuration: meta.configuration, link: null }];
    } else {
      // This node joined with a later configuration than the snapshot's.
      this.#configurations = [trusted];
    }
    this.#placeFrom(log, meta.index + 1);
    for (const link of meta.lineage) this.#addLink(link, true);
    this.prune(commitIndex);
    this.#rebuild();
  }

  /** Takes over a link whose signatures have been verified. */
  introduce(link: LineageLink): void {
    this.#addLink(link, false);
    this.#rebuild();
  }

  #placeFrom(log: Pick<RaftLog, "entryAt" | "lastIndex">, firstIndex: number): void {
    for (let index = firstIndex; index <= log.lastIndex; index++) {
      const entry = log.entryAt(index);
      if (entry?.kind === "configuration") this.place(entry);
    }
  }

  #addLink(link: LineageLink, inLog: boolean): void {
    const newest = this.#lineage[this.#lineage.length - 1];
    if (newest === undefined || link.jointIndex > newest.jointIndex) {
      this.#lineage = [...this.#lineage, link].slice(-LIMITS.lineageLinks);
      // A quorum signed it, so it counts although this node may not know yet that it is committed: after a restart it
      // knows of no commits.
      this.#introduced = { jointIndex: link.jointIndex, configuration: leaveJoint(link.joint), inLog };
    }
  }

  #rebuild(): void {
    this.#peers = new Map();
    this.#bindings = new Map();
    const introduced = this.#introduced?.configuration;
    const committed = this.#configurations[0]?.configuration;
    for (const { configuration } of this.#configurations) bind(this.#peers, configuration.members);
    bind(this.#peers, introduced?.members ?? []);
    for (const configuration of [committed, introduced]) {
      if (configuration === undefined) continue;
      bind(this.#bindings, configuration.retired);
      bind(this.#bindings, configuration.members);
    }
    // While the entry that removes this node is known from its own log alone, its vote may be needed to commit that
    // entry.
    const proven = this.#introduced?.inLog === false ? introduced : committed;
    this.#leftBy = proven?.retired.some((member) => member.id === this.#id) ? proven : null;
    this.#promotable =
      !this.removed && this.#configurations.some(({ configuration }) => isVoter(configuration, this.#id));
  }

  /** Who is listened to follows from it. */
  capture() {
    return { configurations: [...this.#configurations], lineage: this.#lineage, introduced: this.#introduced };
  }

  restore(captured: ReturnType<Roster["capture"]>): void {
    this.#configurations = [...captured.configurations];
    this.#lineage = captured.lineage;
    this.#introduced = captured.introduced;
    this.#rebuild();
  }
}

function bind(peers: Map<NodeId, PeerId>, members: readonly Member[]): void {
  for (const { id, peerId } of members) peers.set(id, peerId);
}
