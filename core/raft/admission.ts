/** Which messages are handled at all, and the evidence against peers whose messages are not. */
import { isMarking, mark } from "../marks.ts";
import type { RaftEffect } from "./environment.ts";
import type { Evidence } from "./evidence.ts";
import type { Message } from "./messages.ts";
import type { RaftOptions } from "./options.ts";
import type { NodeId, PeerId } from "./records.ts";
import type { Roster } from "./roster.ts";

/** Evidence is kept for at most this many distinct keys: without a limit one faulty peer could fill the log. */
const MAX_EVIDENCE = 1024;

interface Addressee {
  readonly id: NodeId;
  readonly clusterId: string;
  readonly incarnation: number;
}

export class Admission {
  readonly #self: Addressee;
  readonly #options: Pick<RaftOptions, "heartbeatMs">;
  readonly #roster: Pick<Roster, "peerOf" | "idOf" | "boundPeerOf">;
  readonly #emit: (effect: RaftEffect) => void;
  /** Members with evidence against them. This process ignores whatever they send. */
  #evicted = new Set<NodeId>();
  #evidenceKeys = new Set<string>();
  #strangerAtMs = new Map<string, number>();

  constructor(
    self: Addressee,
    options: Pick<RaftOptions, "heartbeatMs">,
    roster: Pick<Roster, "peerOf" | "idOf" | "boundPeerOf">,
    emit: (effect: RaftEffect) => void,
  ) {
    this.#self = self;
    this.#options = options;
    this.#roster = roster;
    this.#emit = emit;
  }

  /** Whether a member has this identity. The transport asks once for each connection. */
  isAdmitted(peerId: PeerId): boolean {
    const id = this.#roster.idOf(peerId);
    return id !== undefined && !this.#evicted.has(id);
  }

  /**
   * Whether `message` may be handled: it is of this cluster and incarnation, for this node, and from the member whose
   * identity the connection proved. Nothing else in it is read before that, its term least of all. A stranger is a
   * sender that this node does not know; it may be asked to introduce itself.
   */
  judge(from: PeerId, message: Message, nowMs: number): "admitted" | "refused" | "stranger" {
    const { id, clusterId, incarnation } = this.#self;
    if (message.clusterId !== clusterId || message.incarnation !== incarnation) return "refused";
    if (message.to !== id) return "refused";
    if (this.#roster.peerOf(message.from) === from) {
      if (!this.#evicted.has(message.from)) return "admitted";
      mark("admission/evicted-ignored");
      return "refused";
    }
    const bound = this.#roster.boundPeerOf(message.from);
    if (bound !== undefined && bound !== from) {
      this.report(`impersonation ${from}`, { kind: "impersonation", peer: from, claimed: message.from });
      return "refused";
    }
    // An introduction proves itself by signatures of known members, whoever sends it. An honest peer needs one in a
    // heartbeat interval at most; the limit keeps the cost of a dishonest one low.
    const isIntroduction = message.type === "introduction";
    if (this.#mustWait(isIntroduction ? `introduction ${from}` : from, nowMs)) {
      mark("admission/stranger-must-wait");
      return "refused";
    }
    return isIntroduction ? "admitted" : "stranger";
  }

  #mustWait(key: string, nowMs: number): boolean {
    const beforeMs = this.#strangerAtMs.get(key);
    if (beforeMs !== undefined && nowMs < beforeMs + this.#options.heartbeatMs) return true;
    if (this.#strangerAtMs.size >= MAX_EVIDENCE) this.#strangerAtMs.clear();
    this.#strangerAtMs.set(key, nowMs);
    return false;
  }

  /** Keeps evidence, once for each `key`. */
  report(key: string, evidence: Evidence): void {
    if (this.#evidenceKeys.has(key) || this.#evidenceKeys.size >= MAX_EVIDENCE) return;
    this.#evidenceKeys.add(key);
    if (isMarking) mark(`evidence/${evidence.kind}`);
    this.#emit({ kind: "evidence", evidence });
  }

  /** From now on this process ignores that member. */
  evict(id: NodeId): void {
    if (id !== this.#self.id) this.#evicted.add(id);
  }

  capture() {
    return {
      evicted: new Set(this.#evicted),
      evidenceKeys: new Set(this.#evidenceKeys),
      strangerAtMs: new Map(this.#strangerAtMs),
    };
  }

  restore(captured: ReturnType<Admission["capture"]>): void {
    this.#evicted = new Set(captured.evicted);
    this.#evidenceKeys = new Set(captured.evidenceKeys);
    this.#strangerAtMs = new Map(captured.strangerAtMs);
  }
}
