/**
 * Messages and writes that leave a node, and when. A message that promises something waits for the write that makes
 * it true: it leaves only once all that was decided before it is durable. Writes complete in the order in which they
 * were issued.
 */
import type { RaftEffect, Write } from "./environment.ts";
import type { RaftLog } from "./log.ts";
import type { Message } from "./messages.ts";
import type { HardState, PeerId, Snapshot } from "./records.ts";
import type { Roster } from "./roster.ts";

/** A write on its way to the disk, and what waits for it. */
interface PendingWrite {
  readonly id: number;
  /** The log is durable up to here once this write is. Lowered when a later truncation overtakes it. */
  stableIndex: number;
  messages: Message[];
  /** Terms in which this node votes for itself. */
  readonly ownVotes: number[];
}

export class Outbox {
  readonly #log: RaftLog;
  readonly #roster: Pick<Roster, "peerOf">;
  readonly #emit: (effect: RaftEffect) => void;
  /** The hard state, if it has changed since it was last taken. */
  readonly #takeHardState: () => HardState | null;
  #snapshotChanged: Write["snapshot"] = null;
  /** First entry that no write holds yet. */
  #unwrittenIndex: number;
  #messages: Message[] = [];
  #ownVotes: number[] = [];
  #pendingWrites: PendingWrite[] = [];
  #nextWriteId = 1;

  constructor(
    log: RaftLog,
    roster: Pick<Roster, "peerOf">,
    emit: (effect: RaftEffect) => void,
    takeHardState: () => HardState | null,
  ) {
    this.#log = log;
    this.#roster = roster;
    this.#emit = emit;
    this.#takeHardState = takeHardState;
    this.#unwrittenIndex = log.lastIndex + 1;
  }

  /** Sends a message that promises nothing. */
  send(message: Message): void {
    const peer = this.#roster.peerOf(message.to);
    if (peer !== undefined) this.sendTo(peer, message);
  }

  /** As `send`, to a peer that may not be a member. */
  sendTo(peer: PeerId, message: Message): void {
    this.#emit({ kind: "send", to: peer, message });
  }

  /** Sends a message once everything that was decided up to now is durable. */
  sendDurably(message: Message): void {
    this.#messages.push(message);
  }

  /**
   * Counts this node's vote for itself in `term` once everything that was decided up to now is durable. Never, if the
   * process ends before.
   */
  countVoteOnceDurable(term: number): void {
    this.#ownVotes.push(term);
  }

  /** The log was cut back to `index`: writes under way no longer make anything after it durable. */
  logTruncated(index: number): void {
    this.#unwrittenIndex = Math.min(this.#unwrittenIndex, index + 1);
    for (const write of this.#pendingWrites) {
      write.stableIndex = Math.min(write.stableIndex, index);
      write.messages = write.messages.filter((message) => !acknowledgesBeyond(message, index));
    }
    this.#messages = this.#messages.filter((message) => !acknowledgesBeyond(message, index));
  }

  /**
   * A snapshot to be stored. `keepAfter`: stored entries up to it go, the later ones stay; null: the whole stored log
   * goes.
   */
  saveSnapshot(snapshot: Snapshot, keepAfter: number | null): void {
    this.#snapshotChanged = { snapshot, keepAfter };
    if (keepAfter === null) {
      this.#unwrittenIndex = this.#log.lastIndex + 1;
      for (const write of this.#pendingWrites) write.stableIndex = Math.min(write.stableIndex, this.#log.stableIndex);
    }
  }

  /** Whether every write that was issued is durable. */
  get diskIdle(): boolean {
    return this.#pendingWrites.length === 0;
  }

  /** Hands what has to be stored to the disk, and messages to the wire or to the write they wait for. */
  finish(countOwnVote: (term: number) => void): void {
    const last = this.#log.lastIndex;
    const hardState = this.#takeHardState();
    if (hardState !== null || this.#snapshotChanged !== null || this.#unwrittenIndex <= last) {
      const id = this.#nextWriteId++;
      const entries = this.#unwrittenIndex <= last ? this.#log.slice(this.#unwrittenIndex, last) : null;
      this.#emit({ kind: "write", write: { id, hardState, entries, snapshot: this.#snapshotChanged } });
      this.#pendingWrites.push({ id, stableIndex: last, messages: this.#messages, ownVotes: this.#ownVotes });
      this.#snapshotChanged = null;
      this.#unwrittenIndex = last + 1;
      this.#messages = [];
      this.#ownVotes = [];
    } else if (this.#messages.length > 0 || this.#ownVotes.length > 0) {
      const messages = this.#messages;
      const ownVotes = this.#ownVotes;
      this.#messages = [];
      this.#ownVotes = [];
      const pending = this.#pendingWrites[this.#pendingWrites.length - 1];
      if (pending === undefined) {
        for (const message of messages) this.send(message);
        for (const term of ownVotes) countOwnVote(term);
        // What follows from a vote may need the disk.
        if (ownVotes.length > 0) this.finish(countOwnVote);
      } else {
        pending.messages.push(...messages);
        pending.ownVotes.push(...ownVotes);
      }
    }
  }

  /**
   * Every write up to `writeId` is durable. `grown` is called after each of them, before the messages that waited for
   * it are sent.
   */
  written(writeId: number, grown: () => void, countOwnVote: (term: number) => void): void {
    for (
      let first = this.#pendingWrites[0];
      first !== undefined && first.id <= writeId;
      first = this.#pendingWrites[0]
    ) {
      this.#pendingWrites.shift();
      this.#log.stableTo(first.stableIndex);
      grown();
      for (const message of first.messages) this.send(message);
      for (const term of first.ownVotes) countOwnVote(term);
    }
  }

  capture() {
    return {
      snapshotChanged: this.#snapshotChanged,
      unwrittenIndex: this.#unwrittenIndex,
      messages: [...this.#messages],
      ownVotes: [...this.#ownVotes],
      pendingWrites: this.#pendingWrites.map(copyOf),
      nextWriteId: this.#nextWriteId,
    };
  }

  restore(captured: ReturnType<Outbox["capture"]>): void {
    this.#snapshotChanged = captured.snapshotChanged;
    this.#unwrittenIndex = captured.unwrittenIndex;
    this.#messages = [...captured.messages];
    this.#ownVotes = [...captured.ownVotes];
    this.#pendingWrites = captured.pendingWrites.map(copyOf);
    this.#nextWriteId = captured.nextWriteId;
  }
}

function copyOf(write: PendingWrite): PendingWrite {
  return { ...write, messages: [...write.messages], ownVotes: [...write.ownVotes] };
}

/**
 * An acknowledgement of entries that were cut off must not be sent, although the write that it waits for will
 * complete.
 */
function acknowledgesBeyond(message: Message, index: number): boolean {
  return message.type === "appendResponse" && message.outcome === "matched" && message.matchIndex > index;
}
