/**
 * Where data has been destroyed. Faults that destroy data ask here first, so that a majority of the voters always keeps what it promised to keep, unless
 * the scenario says otherwise (and then does not ask).
 */
export class FaultAtlas {
  readonly #damaged = new Set<number>();

  /** Host `host` has lost, or can no longer read, what its disk held. Also for members that lie: their copy is worth nothing either. */
  markDamaged(host: number): void {
    this.#damaged.add(host);
  }

  /** The host holds again all that was committed when this is called: it has caught up under a new identity, not merely restarted. */
  markWhole(host: number): void {
    this.#damaged.delete(host);
  }

  isDamaged(host: number): boolean {
    return this.#damaged.has(host);
  }

  /** Hosts damaged now. */
  get size(): number {
    return this.#damaged.size;
  }

  /** Whether, with `host` damaged too, less than half of `voters` (host numbers) would be. While a configuration is joint ask for each of its halves. */
  mayDamage(host: number, voters: readonly number[]): boolean {
    let damaged = 0;
    for (const voter of voters) if (voter === host || this.#damaged.has(voter)) damaged += 1;
    return 2 * damaged < voters.length || !voters.includes(host);
  }
}
