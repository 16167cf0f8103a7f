/**
 * Which members have lost data. A fault that destroys data asks here first, so that a majority of the voters always
 * keeps what it promised to keep. A scenario may switch that off.
 */
export class FaultAtlas {
  readonly #damaged = new Set<number>();

  /**
   * A member has lost, or can no longer read, what its disk held. A Byzantine member is also counted as damaged: its
   * copy proves nothing.
   */
  markDamaged(member: number): void {
    this.#damaged.add(member);
  }

  /** The member has every entry that is committed now: it has caught up, not only restarted. */
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
   * Whether, with `member` damaged too, less than half of `voters` would be. For a joint configuration call it once
   * for the old and once for the new voters.
   */
  mayDamage(member: number, voters: readonly number[]): boolean {
    let damaged = 0;
    for (const voter of voters) if (voter === member || this.#damaged.has(voter)) damaged += 1;
    return 2 * damaged < voters.length || !voters.includes(member);
  }
}
