/** The watchers of a world. None of them changes what happens; most runs have few of them. */
import type { CoreWatch, Effect, Evidence } from "../../core/index.ts";
import type { SimEvent } from "./event.ts";
import type { Witness } from "./liar.ts";
import type { SimMember } from "./member.ts";
import type { Observer } from "./observer.ts";

/** Rare events, for whoever counts them or reacts. */
export interface WorldListener {
  booted(member: SimMember): void;
  crashed(member: SimMember, lost: number, torn: boolean): void;
  /** What a starting process found on its disk instead of data. */
  unreadable(member: SimMember, reason: string, forGood: boolean): void;
  evidence(member: SimMember, evidence: Evidence): void;
  halted(member: SimMember, reason: string, evidence: Evidence | null): void;
  /** A node answers a request that it never got, or has answered already. */
  strayAnswer(member: SimMember, requestId: number): void;
}

/** Every event and step, for whoever records them. */
export interface WorldRecorder {
  /** An event has been carried out. */
  happened(event: SimEvent): void;
  stepped(member: SimMember, effects: readonly Effect[]): void;
}

export interface Watchers {
  readonly listener: WorldListener;
  /** Sees what the cores are told and what they want. */
  readonly core: CoreWatch | null;
  /** The oracles. */
  observer: Observer | null;
  recorder: WorldRecorder | null;
  /** Judges a run with a liar. */
  witness: Witness | null;
}
