/** IP pools in the replicated state: which index of which pool belongs to which VM. What an index means is arithmetic: ip-pool.ts. */
import type { Batch } from "./batch.ts";
import { allocatableCount, type IpPoolSpec, nextFree, poolsOverlap } from "./ip-pool.ts";
import { LIMITS } from "./limits.ts";
import type { CommandResult } from "./result.ts";
import type { VmAddress } from "./vm-record.ts";
import type { NetworkAttachment } from "./vm-spec.ts";

/** Immutable. */
export interface IpPoolRecord {
  readonly spec: IpPoolSpec;
  /** Given once, and never again to another pool: MACs and names of tap devices are made of it. */
  readonly number: number;
  /** The index that was given out last: the search goes on behind it, so that one is used again as late as can be. */
  readonly cursor: number;
  /** Indexes that VMs hold. Follows from them. */
  readonly usedCount: number;
}

export const addressKey = (pool: string, index: number): string => `${pool}/${index}`;

export function createPool(batch: Batch, spec: IpPoolSpec): CommandResult {
  if (batch.pools.get(spec.name) !== null) return refused({ kind: "poolExists" });
  if (batch.pools.count >= LIMITS.ipPools)
    return refused({ kind: "limitReached", limit: "ipPools", maximum: LIMITS.ipPools });
  if (batch.nextPoolNumber > LIMITS.ipPoolNumber)
    return refused({ kind: "limitReached", limit: "ipPools", maximum: LIMITS.ipPoolNumber });
  for (const other of batch.pools.values()) {
    // Two VLANs may use one subnet.
    if (other.spec.vlan === spec.vlan && poolsOverlap(other.spec, spec))
      return refused({ kind: "poolOverlaps", pool: other.spec.name });
  }
  const number = batch.nextPoolNumber++;
  batch.pools.set(spec.name, Object.freeze({ spec, number, cursor: -1, usedCount: 0 }));
  batch.happened({ kind: "poolChanged", pool: spec.name, change: "created" });
  return Object.freeze({ ok: true, kind: "poolCreated" });
}

export function deletePool(batch: Batch, name: string): CommandResult {
  const pool = batch.pools.get(name);
  if (pool === null) return refused({ kind: "poolNotFound", pool: name });
  if (pool.usedCount > 0) return refused({ kind: "poolInUse", usedCount: pool.usedCount });
  batch.pools.delete(name);
  batch.happened({ kind: "poolChanged", pool: name, change: "deleted" });
  return Object.freeze({ ok: true, kind: "poolDeleted" });
}

/** A pool that is switched off gives out nothing; what it gave out stays. */
export function setPoolEnabled(batch: Batch, name: string, enabled: boolean): CommandResult {
  const pool = batch.pools.get(name);
  if (pool === null) return refused({ kind: "poolNotFound", pool: name });
  if (pool.spec.enabled !== enabled) {
    batch.pools.set(name, Object.freeze({ ...pool, spec: Object.freeze({ ...pool.spec, enabled }) }));
    batch.happened({ kind: "poolChanged", pool: name, change: enabled ? "enabled" : "disabled" });
  }
  return Object.freeze({ ok: true, kind: "poolChanged" });
}

/** All or none. `for` is the VM's name. */
export function allocate(
  batch: Batch,
  vm: string,
  networks: readonly NetworkAttachment[],
): { readonly addresses: readonly VmAddress[]; readonly refusal: null } | { readonly refusal: CommandResult } {
  if (networks.length === 0) return { addresses: none, refusal: null };
  const wanted = new Map<string, number>();
  for (const { pool } of networks) wanted.set(pool, (wanted.get(pool) ?? 0) + 1);
  for (const [name, count] of wanted) {
    const pool = batch.pools.get(name);
    if (pool === null) return { refusal: refused({ kind: "poolNotFound", pool: name }) };
    if (!pool.spec.enabled) return { refusal: refused({ kind: "poolDisabled", pool: name }) };
    if (pool.usedCount + count > allocatableCount(pool.spec))
      return { refusal: refused({ kind: "poolExhausted", pool: name, size: allocatableCount(pool.spec) }) };
  }
  const addresses: VmAddress[] = [];
  for (const { pool: name } of networks) {
    const pool = batch.pools.get(name);
    if (pool === null) continue;
    const index = nextFree(pool.spec, pool.cursor, (at) => batch.addresses.get(addressKey(name, at)) !== null);
    if (index === null) throw new RangeError(`pool ${name} has room by its books and none by its indexes`);
    batch.addresses.set(addressKey(name, index), vm);
    batch.pools.set(name, Object.freeze({ ...pool, cursor: index, usedCount: pool.usedCount + 1 }));
    addresses.push(Object.freeze({ pool: name, index }));
  }
  return { addresses: Object.freeze(addresses), refusal: null };
}

export function release(batch: Batch, addresses: readonly VmAddress[]): void {
  for (const { pool: name, index } of addresses) {
    batch.addresses.delete(addressKey(name, index));
    const pool = batch.pools.get(name);
    if (pool !== null) batch.pools.set(name, Object.freeze({ ...pool, usedCount: pool.usedCount - 1 }));
  }
}

const none: readonly VmAddress[] = Object.freeze([]);

function refused(refusal: Extract<CommandResult, { readonly ok: false }>["refusal"]): CommandResult {
  return Object.freeze({ ok: false, refusal: Object.freeze(refusal) });
}
