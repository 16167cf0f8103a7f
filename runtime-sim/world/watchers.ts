/** Who looks on while a world runs. None of them changes what happens; most runs have few of them. */
import type { CoreWatch, Effect, Evidence } from "../../core/index.ts";
import type { SimEvent } from "./event.ts";
import type { Host } from "./host.ts";
import type { Witness } from "./liar.ts";
import type { Observer } from "./observer.ts";

/** Rare news, for whoever counts them or reacts. */
export interface WorldListener {
  booted(host: Host): void;
  crashed(host: Host, lost: number, torn: boolean): void;
  /** What a starting process found on its disk instead of data. */
  unreadable(host: Host, reason: string, forGood: boolean): void;
  evidence(host: Host, evidence: Evidence): void;
  halted(host: Host, reason: string, evidence: Evidence | null): void;
  /** A node answers a request that it never got, or has answered already. */
  strayAnswer(host: Host, requestId: number): void;
}

/** Everything, for whoever writes it down. */
export interface WorldRecorder {
  /** An event has been carried out. */
  happened(event: SimEvent): void;
  stepped(host: Host, effects: readonly Effect[]): void;
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
