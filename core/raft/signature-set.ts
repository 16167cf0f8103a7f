/** Signatures of different members over one statement, collected until a quorum has signed. */
import type { MemberSignature, NodeId, Signature } from "./records.ts";

export class SignatureSet {
  #signatures = new Map<NodeId, Signature>();

  add(id: NodeId, signature: Signature): void {
    this.#signatures.set(id, signature);
  }

  has(id: NodeId): boolean {
    return this.#signatures.has(id);
  }

  clear(): void {
    this.#signatures.clear();
  }

  /** In the order in which they came. */
  [Symbol.iterator](): IterableIterator<[NodeId, Signature]> {
    return this.#signatures[Symbol.iterator]();
  }

  /** Sorted by id. */
  toList(): MemberSignature[] {
    return [...this.#signatures].map(([id, signature]) => ({ id, signature })).sort((a, b) => a.id - b.id);
  }

  capture() {
    return new Map(this.#signatures);
  }

  restore(captured: ReturnType<SignatureSet["capture"]>): void {
    this.#signatures = new Map(captured);
  }
}
