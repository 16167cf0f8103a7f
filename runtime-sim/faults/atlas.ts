/**
 * Where data has been destroyed. Faults that destroy data ask here first, so that a majority of the voters always
 * keeps what it promised to keep, unless the scenario says otherwise (and then does not ask).
 */
export class FaultAtlas {
  readonly #damaged = new Set<number>();

  /**
   * A member has lost, or can no longer read, what its disk held. Also for members that lie: their copy is worth
   * nothing either.
   */
  markDamaged(member: number): void {
    this.#damaged.add(member);
  }

  /** The member holds again all that was committed when this is called: it has caught up, and not merely restarted. */
  markSound(member: number): void {
    this.#damaged.delete(member);
  }

  isDamaged(member: number): boolean {
    return this.#damaged.has(member);
  }

  /** Members damaged now. */
  get size(): number {
    return this.#damaged.size;
  }

  /**
   * Whether, with `member` damaged too, less than half of `voters` would be. While a configuration is joint ask for
   * each of its halves.
   */
  mayDamage(member: number, voters: readonly number[]): boolean {
    let damaged = 0;
    for (const voter of voters) if (voter === member || this.#damaged.has(voter)) damaged += 1;
    return 2 * damaged < voters.length || !voters.includes(member);
  }
}
