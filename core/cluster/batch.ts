/**
 * One batch of entries in the making. Reads see the state under the changes so far, which are kept aside in small maps; `finish` writes them all
 * with one immer producer, whose draft holds the touched leaves and nothing else. So an entry that changes nothing drafts nothing.
 */
import { castDraft, type Draft, type Immer } from "immer";
import { type ClusterEvent, type EventDetails, withEvents } from "./events.ts";
import type { NodeRecord } from "./nodes.ts";
import type { Session } from "./session.ts";
import { type ClusterState, sessionIdOf, sessionOf, vmOf } from "./state.ts";
import { type Leaf, leafAt, type Slot, slotOfIndex, slotOfText, type Table, withLeaves } from "./table.ts";
import type { TokenRecord } from "./tokens.ts";
import type { VmRecord } from "./vm-record.ts";

/** New values by key; null: removed. */
type Changes<K, V> = Map<K, V | null>;

interface TouchedLeaves {
  readonly vms: ReadonlyMap<Slot, Leaf<string, VmRecord>>;
  readonly sessions: ReadonlyMap<Slot, Leaf<number, Session>>;
  readonly sessionIds: ReadonlyMap<Slot, Leaf<string, number>>;
}

export class Batch {
  readonly #base: ClusterState;
  readonly #vms: Changes<string, VmRecord> = new Map();
  readonly #sessions: Changes<number, Session> = new Map();
  readonly #sessionIds: Changes<string, number> = new Map();
  #sessionFloors: number[] | null = null;
  #tokens: Map<string, TokenRecord> | null = null;
  #nodes: Map<number, NodeRecord> | null = null;
  readonly #events: ClusterEvent[] = [];
  /** Of the entry that is being applied. */
  term = 0;
  vmCount: number;
  sessionCount: number;
  timeMs: number;
  appliedIndex: number;

  constructor(base: ClusterState) {
    this.#base = base;
    this.vmCount = base.vmCount;
    this.sessionCount = base.sessionCount;
    this.timeMs = base.timeMs;
    this.appliedIndex = base.appliedIndex;
  }

  vm(name: string): VmRecord | null {
    const changed = this.#vms.get(name);
    return changed === undefined ? vmOf(this.#base, name) : changed;
  }

  putVm(record: VmRecord): void {
    if (this.vm(record.name) === null) this.vmCount++;
    this.#vms.set(record.name, record);
  }

  removeVm(name: string): void {
    this.#vms.set(name, null);
    this.vmCount--;
  }

  session(id: number): Session | null {
    const changed = this.#sessions.get(id);
    return changed === undefined ? sessionOf(this.#base, id) : changed;
  }

  sessionOfToken(clientToken: string): Session | null {
    const changed = this.#sessionIds.get(clientToken);
    const id = changed === undefined ? sessionIdOf(this.#base, clientToken) : changed;
    return id === null ? null : this.session(id);
  }

  /** Puts a session that is open already. */
  putSession(session: Session): void {
    this.#sessions.set(session.id, session);
  }

  addSession(session: Session): void {
    this.#sessions.set(session.id, session);
    this.#sessionIds.set(session.clientToken, session.id);
    this.sessionCount++;
  }

  removeSession(session: Session): void {
    this.#sessions.set(session.id, null);
    this.#sessionIds.set(session.clientToken, null);
    this.sessionCount--;
  }

  /** The sessions of the state below, and what this batch made of some of them; null: removed. For expiry.ts. */
  get sessionsBelow(): Table<number, Session> {
    return this.#base.sessions;
  }

  get sessionChanges(): ReadonlyMap<number, Session | null> {
    return this.#sessions;
  }

  /** A copy of its own, made when first asked for. */
  get sessionFloors(): number[] {
    this.#sessionFloors ??= this.#base.sessionFloors.slice();
    return this.#sessionFloors;
  }

  get tokens(): ReadonlyMap<string, TokenRecord> {
    return this.#tokens ?? this.#base.tokens;
  }

  /** A copy of its own, made when first asked for. */
  changeTokens(): Map<string, TokenRecord> {
    this.#tokens ??= new Map(this.#base.tokens);
    return this.#tokens;
  }

  get nodes(): ReadonlyMap<number, NodeRecord> {
    return this.#nodes ?? this.#base.nodes;
  }

  changeNodes(): Map<number, NodeRecord> {
    this.#nodes ??= new Map(this.#base.nodes);
    return this.#nodes;
  }

  /** What the present entry changed. Once an entry at most. */
  happened(details: EventDetails): void {
    this.#events.push(Object.freeze({ index: this.appliedIndex, term: this.term, atMs: this.timeMs, ...details }));
  }

  finish(immer: Immer): ClusterState {
    const base = this.#base;
    const counters = {
      tokens: this.tokens,
      nodes: this.nodes,
      events: withEvents(base.events, this.#events),
      sessionFloors: this.#sessionFloors ?? base.sessionFloors,
      vmCount: this.vmCount,
      sessionCount: this.sessionCount,
      timeMs: this.timeMs,
      appliedIndex: this.appliedIndex,
    };
    if (this.#vms.size === 0 && this.#sessions.size === 0) return { ...base, ...counters };

    const before: TouchedLeaves = {
      vms: touchedLeaves(base.vms, this.#vms, slotOfText),
      sessions: touchedLeaves(base.sessions, this.#sessions, slotOfIndex),
      sessionIds: touchedLeaves(base.sessionIds, this.#sessionIds, slotOfText),
    };
    const after = immer.produce(before, (draft) => {
      // Reading a property of a draft makes another draft: read what is written and nothing else.
      if (this.#vms.size > 0) write(draft.vms, this.#vms, slotOfText);
      if (this.#sessions.size > 0) write(draft.sessions, this.#sessions, slotOfIndex);
      if (this.#sessionIds.size > 0) write(draft.sessionIds, this.#sessionIds, slotOfText);
    });
    return {
      vms: withLeaves(base.vms, after.vms),
      sessions: withLeaves(base.sessions, after.sessions),
      sessionIds: withLeaves(base.sessionIds, after.sessionIds),
      ...counters,
    };
  }
}

function touchedLeaves<K, V>(
  table: Table<K, V>,
  changes: Changes<K, V>,
  slotOf: (key: K) => Slot,
): ReadonlyMap<Slot, Leaf<K, V>> {
  const leaves = new Map<Slot, Leaf<K, V>>();
  for (const key of changes.keys()) {
    const slot = slotOf(key);
    leaves.set(slot, leafAt(table, slot));
  }
  return leaves;
}

function write<K, V extends NonNullable<unknown>>(
  leaves: Map<Slot, Map<K, Draft<V>>>,
  changes: Changes<K, V>,
  slotOf: (key: K) => Slot,
): void {
  for (const [key, value] of changes) {
    const leaf = leaves.get(slotOf(key));
    if (value === null) leaf?.delete(key);
    else leaf?.set(key, castDraft(value));
  }
}
