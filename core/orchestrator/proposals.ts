/**
 * The orchestrator's proposals in flight: those that are neither applied nor refused yet. There is at most one about
 * each subject, and the subject is left alone until it is settled.
 */
import type { OwnCommand } from "../cluster/index.ts";
import type { Resources } from "../domain/index.ts";

export interface Proposal {
  /** Names the proposal. There is one of a key at a time. */
  readonly key: string;
  readonly command: OwnCommand;
}

/** What a proposal is about. */
export type Subject =
  | { readonly kind: "vm"; readonly name: string }
  | { readonly kind: "task"; readonly id: string }
  /** What a worker reports of itself. */
  | { readonly kind: "worker"; readonly workerId: number }
  /** The end of a worker's lease. */
  | { readonly kind: "lost"; readonly workerId: number };

/** Room that a proposal takes when it is applied. */
export interface Placement {
  readonly workerId: number;
  readonly resources: Resources;
}

export interface InFlight {
  readonly subject: Subject;
  readonly placement: Placement | null;
}

/**
 * Proposals in flight at a time. The log takes them in batches; what is decided too far ahead rests on an old state.
 */
const PROPOSALS_MAX = 256;

export class Proposals {
  #inFlight = new Map<string, InFlight>();
  /** Those that have not been handed out yet. */
  #fresh: Proposal[] = [];

  get isFull(): boolean {
    return this.#inFlight.size >= PROPOSALS_MAX;
  }

  get isEmpty(): boolean {
    return this.#inFlight.size === 0;
  }

  has(subject: Subject): boolean {
    return this.#inFlight.has(keyOf(subject));
  }

  /** False: something is in flight about this subject already, and this is not proposed. */
  propose(subject: Subject, command: OwnCommand, placement: Placement | null = null): boolean {
    const key = keyOf(subject);
    if (this.#inFlight.has(key)) return false;
    this.#inFlight.set(key, { subject, placement });
    this.#fresh.push({ key, command });
    return true;
  }

  /** A proposal is in flight no more; null: it is none of these. */
  settle(key: string): InFlight | null {
    const inFlight = this.#inFlight.get(key);
    if (inFlight === undefined) return null;
    this.#inFlight.delete(key);
    return inFlight;
  }

  /** What is to be proposed since this was last called. */
  takeFresh(): readonly Proposal[] {
    if (this.#fresh.length === 0) return NO_PROPOSALS;
    const fresh = this.#fresh;
    this.#fresh = [];
    return fresh;
  }

  capture() {
    return { inFlight: new Map(this.#inFlight), fresh: [...this.#fresh] };
  }

  restore(captured: ReturnType<Proposals["capture"]>): void {
    this.#inFlight = new Map(captured.inFlight);
    this.#fresh = [...captured.fresh];
  }
}

const NO_PROPOSALS: readonly Proposal[] = [];

function keyOf(subject: Subject): string {
  switch (subject.kind) {
    case "vm":
      return `vm:${subject.name}`;
    case "task":
      return `task:${subject.id}`;
    case "worker":
    case "lost":
      return `${subject.kind}:${subject.workerId}`;
  }
}
