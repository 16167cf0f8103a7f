/**
 * IP pools in the replicated state: which address (by its index in the pool) belongs to which VM. What an index means
 * is computed in core/domain/ip-pool.ts.
 */

import {
  AssertionFailed,
  addressKey,
  allocatableCount,
  assert,
  CLUSTER_LIMITS,
  type CommandResult,
  type IpPoolRecord,
  type IpPoolSpec,
  ipPoolSpecSchema,
  type NetworkAttachment,
  nameSchema,
  nextFree,
  POOL_STRATEGIES,
  poolsOverlap,
  refused,
  type VmAddress,
  type VmRecord,
  type VmSpec,
} from "../domain/index.ts";
import { choice, flag } from "../schema/index.ts";
import type { Batch } from "./batch.ts";
import { command } from "./command-definition.ts";
import { choosePool } from "./pool-choice.ts";

type Wanted = Pick<VmSpec, "networks" | "locality">;

/**
 * Allocates an address for each network of the VM called `vm`, or none at all. Where `kept` holds an address, the VM
 * keeps it, whatever happened to its pool.
 */
export function allocate(
  batch: Batch,
  vm: string,
  wanted: Wanted,
  kept: readonly (VmAddress | null)[] = none,
): { readonly addresses: readonly VmAddress[]; readonly refusal: null } | { readonly refusal: CommandResult } {
  if (wanted.networks.length === 0) return { addresses: none, refusal: null };
  const chosen = poolsFor(batch, wanted, kept);
  if (chosen.refusal !== null) return { refusal: chosen.refusal };
  batch.poolCursor = chosen.cursor;
  const addresses = chosen.names.map((name, at) => kept[at] ?? taken(batch, vm, name));
  return { addresses: Object.freeze(addresses), refusal: null };
}

function taken(batch: Batch, vm: string, name: string): VmAddress {
  const pool = batch.pools.get(name);
  const index = pool && nextFree(pool.spec, pool.cursor, (at) => batch.addresses.get(addressKey(name, at)) !== null);
  if (pool === null || index === null)
    throw new AssertionFailed(`pool ${name} has room by its count and none by its addresses`);
  batch.addresses.set(addressKey(name, index), vm);
  batch.pools.set(name, Object.freeze({ ...pool, cursor: index, usedCount: pool.usedCount + 1 }));
  return Object.freeze({ pool: name, index });
}

/** Where each network's address comes from. Looks at every pool where one is left open, and changes nothing. */
function poolsFor(
  batch: Batch,
  { networks, locality }: Wanted,
  kept: readonly (VmAddress | null)[],
):
  | { readonly names: readonly string[]; readonly cursor: number; readonly refusal: null }
  | { readonly refusal: CommandResult } {
  const names: string[] = [];
  const open: OpenNetwork[] = [];
  /** Addresses that this allocation takes of each pool. */
  const takes = new Map<string, number>();
  const take = (at: number, name: string): void => {
    names[at] = name;
    takes.set(name, (takes.get(name) ?? 0) + 1);
  };
  for (const [at, network] of networks.entries()) {
    const address = kept[at] ?? null;
    if (address !== null) names[at] = address.pool;
    else if (network.pool !== null) take(at, network.pool);
    else open.push({ at, tags: network.tags, pools: poolsWith(batch, network.tags) });
  }
  for (const [name, count] of takes) {
    const pool = batch.pools.get(name);
    if (pool === null) return { refusal: refused({ kind: "poolNotFound", pool: name }) };
    if (!pool.spec.enabled) return { refusal: refused({ kind: "poolDisabled", pool: name }) };
    if (pool.usedCount + count > allocatableCount(pool.spec))
      return { refusal: refused({ kind: "poolExhausted", pool: name, size: allocatableCount(pool.spec) }) };
  }
  let cursor = batch.poolCursor;
  // Named pools come first. Of the others, the network with the fewest candidate pools goes first, so that one is
  // left for it.
  open.sort((a, b) => a.pools.length - b.pools.length);
  for (const network of open) {
    const candidates = network.pools
      .map((pool) => ({ ...pool, usedCount: pool.usedCount + (takes.get(pool.spec.name) ?? 0) }))
      .filter(({ spec, usedCount }) => spec.enabled && usedCount < allocatableCount(spec));
    const pool = choosePool({ strategy: batch.poolStrategy, cursor, locality }, candidates);
    if (pool === null) return { refusal: nothingFor(network) };
    if (batch.poolStrategy === "round-robin") cursor = pool.number;
    take(network.at, pool.spec.name);
  }
  return { names, cursor, refusal: null };
}

interface OpenNetwork {
  readonly at: number;
  readonly tags: readonly string[];
  /** Those that carry the tags, in no particular order. */
  readonly pools: readonly IpPoolRecord[];
}

function poolsWith(batch: Batch, tags: readonly string[]): readonly IpPoolRecord[] {
  return [...batch.pools.values()].filter(({ spec }) => carries(spec, tags));
}

function carries(spec: IpPoolSpec, tags: readonly string[]): boolean {
  return tags.every((tag) => spec.tags.includes(tag));
}

function nothingFor({ tags, pools }: OpenNetwork): CommandResult {
  if (pools.length === 0) return refused({ kind: "noPoolWithTags", tags });
  const enabled = pools.filter(({ spec }) => spec.enabled);
  const disabledCount = pools.length - enabled.length;
  if (enabled.length === 0) return refused({ kind: "poolsDisabled", tags, disabledCount });
  const size = enabled.reduce((sum, { spec }) => sum + allocatableCount(spec), 0);
  return refused({ kind: "poolsExhausted", tags, size, disabledCount });
}

/**
 * The address that a VM keeps for each of its new networks, or null. A network that did not change keeps its own
 * address. Then each remaining address goes to a network that it can serve, such as one that now names the pool that
 * was chosen before. So no address changes without need.
 */
export function keptAddresses(
  batch: Batch,
  vm: Pick<VmRecord, "spec" | "addresses">,
  networks: readonly NetworkAttachment[],
): readonly (VmAddress | null)[] {
  const left = vm.addresses.map((address, at) => ({ address, was: JSON.stringify(vm.spec.networks[at]) }));
  const kept: (VmAddress | null)[] = networks.map(() => null);
  const keep = (serves: (held: (typeof left)[number], network: NetworkAttachment) => boolean): void => {
    for (const [at, network] of networks.entries()) {
      if (kept[at] !== null) continue;
      const found = left.findIndex((held) => serves(held, network));
      if (found >= 0) kept[at] = left.splice(found, 1)[0]?.address ?? null;
    }
  };
  keep(({ was }, network) => was === JSON.stringify(network));
  keep(({ address }, network) => {
    if (network.pool !== null) return network.pool === address.pool;
    const pool = batch.pools.get(address.pool);
    return pool !== null && carries(pool.spec, network.tags);
  });
  return kept;
}

export function release(batch: Batch, addresses: readonly VmAddress[]): void {
  for (const { pool: name, index } of addresses) {
    batch.addresses.delete(addressKey(name, index));
    const pool = batch.pools.get(name);
    if (pool === null) continue;
    assert(pool.usedCount > 0, "an address is given back to a pool that has given out none", name);
    batch.pools.set(name, Object.freeze({ ...pool, usedCount: pool.usedCount - 1 }));
  }
}

const none: readonly VmAddress[] = Object.freeze([]);

export const poolCommands = {
  createPool: command({
    askedBy: "client",
    number: [9, 15],
    fields: { spec: ipPoolSpecSchema },
    refusals: ["poolExists", "limitReached", "poolOverlaps"],
    audit: { number: 22, target: ({ spec }) => spec.name },
    apply(batch, { spec }) {
      if (batch.pools.get(spec.name) !== null) return refused({ kind: "poolExists" });
      if (batch.pools.count >= batch.limits.ipPools)
        return refused({ kind: "limitReached", limit: "ipPools", maximum: batch.limits.ipPools });
      if (batch.nextPoolNumber > CLUSTER_LIMITS.ipPoolNumber)
        return refused({ kind: "limitReached", limit: "ipPools", maximum: CLUSTER_LIMITS.ipPoolNumber });
      for (const other of batch.pools.values()) {
        // Two VLANs may use one subnet.
        if (other.spec.vlan === spec.vlan && poolsOverlap(other.spec, spec))
          return refused({ kind: "poolOverlaps", pool: other.spec.name });
      }
      const number = batch.nextPoolNumber++;
      batch.pools.set(spec.name, Object.freeze({ spec, number, cursor: -1, usedCount: 0 }));
      batch.happened({ kind: "poolChanged", pool: spec.name, change: "created" });
      return Object.freeze({ ok: true, kind: "poolCreated" });
    },
  }),
  deletePool: command({
    askedBy: "client",
    number: [9, 16],
    fields: { name: nameSchema },
    refusals: ["poolNotFound", "poolInUse"],
    audit: { number: 23, target: ({ name }) => name },
    apply(batch, { name }) {
      const pool = batch.pools.get(name);
      if (pool === null) return refused({ kind: "poolNotFound", pool: name });
      if (pool.usedCount > 0) return refused({ kind: "poolInUse", usedCount: pool.usedCount });
      batch.pools.delete(name);
      batch.happened({ kind: "poolChanged", pool: name, change: "deleted" });
      return Object.freeze({ ok: true, kind: "poolDeleted" });
    },
  }),
  /** A pool that is switched off gives out nothing; what it gave out stays. */
  setPoolEnabled: command({
    askedBy: "client",
    number: [9, 17],
    fields: { name: nameSchema, enabled: flag },
    refusals: ["poolNotFound"],
    audit: { number: 24, target: ({ name }) => name, change: ({ enabled }) => (enabled ? "enable" : "disable") },
    apply(batch, { name, enabled }) {
      const pool = batch.pools.get(name);
      if (pool === null) return refused({ kind: "poolNotFound", pool: name });
      if (pool.spec.enabled !== enabled) {
        batch.pools.set(name, Object.freeze({ ...pool, spec: Object.freeze({ ...pool.spec, enabled }) }));
        batch.happened({ kind: "poolChanged", pool: name, change: enabled ? "enabled" : "disabled" });
      }
      return Object.freeze({ ok: true, kind: "poolChanged" });
    },
  }),
  /** Holds for what is given out from now on. */
  setPoolStrategy: command({
    askedBy: "client",
    number: [9, 22],
    since: 2,
    fields: { strategy: choice(POOL_STRATEGIES) },
    refusals: [],
    audit: { number: 29, target: () => null },
    apply(batch, { strategy }) {
      if (batch.poolStrategy !== strategy) {
        batch.poolStrategy = strategy;
        batch.happened({ kind: "poolStrategySet", strategy });
      }
      return Object.freeze({ ok: true, kind: "poolStrategySet" });
    },
  }),
};
