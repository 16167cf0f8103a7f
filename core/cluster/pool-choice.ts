/**
 * Which pool an address comes from where a VM leaves that open. Uses integers only, so that every replica comes to
 * the same choice.
 */
import {
  allocatableCount,
  CLUSTER_LIMITS,
  type IpPoolSpec,
  type Locality,
  type PoolStrategy,
} from "../domain/index.ts";

/** A pool that has an address to give. */
export interface PoolCandidate {
  readonly spec: IpPoolSpec;
  /** No two pools have the same. */
  readonly number: number;
  readonly usedCount: number;
}

export interface PoolPreference {
  readonly strategy: PoolStrategy;
  /** For "round-robin": number of the pool that was chosen last; 0: none. */
  readonly cursor: number;
  /** For "topology-aware": the VM's. */
  readonly locality: Locality | null;
}

/** In whatever order they come. Null: there is none to choose from. */
export function choosePool(preference: PoolPreference, candidates: Iterable<PoolCandidate>): PoolCandidate | null {
  let best: PoolCandidate | null = null;
  for (const candidate of candidates) if (best === null || goesBefore(preference, candidate, best)) best = candidate;
  return best;
}

function goesBefore({ strategy, cursor, locality }: PoolPreference, a: PoolCandidate, b: PoolCandidate): boolean {
  switch (strategy) {
    case "least-used":
      return byUse(a, b) < 0;
    case "most-used": {
      const use = compareUse(b, a);
      return use === 0 ? a.spec.name < b.spec.name : use < 0;
    }
    case "round-robin":
      return turnOf(a, cursor) < turnOf(b, cursor);
    case "topology-aware": {
      const nearer = fitOf(b.spec, locality) - fitOf(a.spec, locality);
      return nearer === 0 ? byUse(a, b) < 0 : nearer < 0;
    }
  }
}

/** Least used first; by name where two are used alike. */
function byUse(a: PoolCandidate, b: PoolCandidate): number {
  const use = compareUse(a, b);
  return use === 0 ? (a.spec.name < b.spec.name ? -1 : 1) : use;
}

/** Compares used fractions without dividing: a pool has 65,536 addresses at most, so the products are exact. */
function compareUse(a: PoolCandidate, b: PoolCandidate): number {
  return a.usedCount * allocatableCount(b.spec) - b.usedCount * allocatableCount(a.spec);
}

/** Those behind the cursor first, in order of their numbers; then from the start again. */
function turnOf({ number }: PoolCandidate, cursor: number): number {
  return number > cursor ? number : number + CLUSTER_LIMITS.ipPoolNumber;
}

/**
 * How well the location of a pool suits a VM: its zone 3, its datacenter 2, a pool without a location 1, elsewhere 0.
 * A VM without preferences rates all pools alike, except those in datacenters that it must not run in.
 */
function fitOf({ datacenter, zone }: IpPoolSpec, locality: Locality | null): number {
  if (locality === null) return 1;
  const { preferredDatacenter, preferredZone, excludedDatacenters } = locality;
  if (datacenter !== null && excludedDatacenters.includes(datacenter)) return 0;
  if (preferredDatacenter === null && preferredZone === null) return 1;
  if (datacenter === null && zone === null) return 1;
  // Zones count within their datacenter, where both say which.
  if (datacenter !== null && preferredDatacenter !== null && datacenter !== preferredDatacenter) return 0;
  if (zone !== null && zone === preferredZone) return 3;
  return datacenter !== null && datacenter === preferredDatacenter ? 2 : 0;
}
