/** Whose messages are looked at at all, and the evidence against those whose are not. */
import type { RaftEffect } from "./environment.ts";
import type { Evidence } from "./evidence.ts";
import type { Message } from "./messages.ts";
import type { RaftOptions } from "./options.ts";
import type { NodeId, PeerId } from "./records.ts";
import type { Roster } from "./roster.ts";

/** Evidence kept for at most this many distinct (kind, peer, term); beyond it a liar would fill the log. */
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
  /** Proven liars. Nothing they send is looked at again by this process. */
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

  /** Whether a member has this identity. Asked by the transport, once a connection. */
  isAdmitted(peerId: PeerId): boolean {
    const id = this.#roster.idOf(peerId);
    return id !== undefined && !this.#evicted.has(id);
  }

  /**
   * Whether `message` may be looked at: this cluster and incarnation, for this node, from the member whose identity
   * the connection proved. Nothing in it, its term least of all, is read before that. A stranger is nobody who is
   * known here, and may be told so.
   */
  judge(from: PeerId, message: Message, nowMs: number): "admitted" | "refused" | "stranger" {
    const { id, clusterId, incarnation } = this.#self;
    if (message.clusterId !== clusterId || message.incarnation !== incarnation) return "refused";
    if (message.to !== id) return "refused";
    if (this.#roster.peerOf(message.from) === from) return this.#evicted.has(message.from) ? "refused" : "admitted";
    const bound = this.#roster.boundPeerOf(message.from);
    if (bound !== undefined && bound !== from) {
      this.report(`impersonation ${from}`, { kind: "impersonation", peer: from, claimed: message.from });
      return "refused";
    }
    // An introduction proves itself by the signatures of those who are known. One a heartbeat and peer is enough for
    // an honest one, and keeps a stranger cheap.
    const isIntroduction = message.type === "introduction";
    if (this.#mustWait(isIntroduction ? `introduction ${from}` : from, nowMs)) return "refused";
    return isIntroduction ? "admitted" : "stranger";
  }

  #mustWait(key: string, nowMs: number): boolean {
    const beforeMs = this.#strangerAtMs.get(key);
    if (beforeMs !== undefined && nowMs < beforeMs + this.#options.heartbeatMs) return true;
    if (this.#strangerAtMs.size >= MAX_EVIDENCE) this.#strangerAtMs.clear();
    this.#strangerAtMs.set(key, nowMs);
    return false;
  }

  /** Keeps evidence once per `key`. */
  report(key: string, evidence: Evidence): void {
    if (this.#evidenceKeys.has(key) || this.#evidenceKeys.size >= MAX_EVIDENCE) return;
    this.#evidenceKeys.add(key);
    this.#emit({ kind: "evidence", evidence });
  }

  /** Listens to a proven liar no more. */
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
