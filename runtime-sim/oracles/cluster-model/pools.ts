/** Pools of addresses: which VM has which, and where the next one comes from. */
import {
  addressKey,
  allocatableCount,
  CLUSTER_LIMITS,
  type CommandResult,
  type IpPoolRecord,
  type NetworkAttachment,
  nextFree,
  type PoolStrategy,
  poolsOverlap,
  type VmAddress,
  type VmRecord,
  type VmSpec,
} from "../../../core/index.ts";
import { isSame } from "../same.ts";
import { type Rules, refused } from "./rules.ts";
import { ONLY, type Tables } from "./tables.ts";

type Wanted = Pick<VmSpec, "networks" | "locality">;
type Granted = { readonly addresses: readonly VmAddress[]; readonly refusal: null };

/** An address for each network, or none at all. `kept`: what stays as it is. */
export function grant(
  tables: Tables,
  vm: string,
  wanted: Wanted,
  kept: readonly (VmAddress | null)[] = [],
): Granted | { readonly refusal: CommandResult } {
  const { networks } = wanted;
  /** By the place of the network; what is granted so far counts as used. */
  const pools: (string | null)[] = networks.map(({ pool }, at) => kept[at]?.pool ?? pool);
  const taken = (name: string): number =>
    (tables.pools.get(name)?.usedCount ?? 0) + pools.filter((pool, at) => pool === name && !kept[at]).length;
  for (const name of new Set(pools.filter((_, at) => !kept[at]))) {
    if (name === null) continue;
    const pool = tables.pools.get(name);
    if (pool === null) return { refusal: refused({ kind: "poolNotFound", pool: name }) };
    if (!pool.spec.enabled) return { refusal: refused({ kind: "poolDisabled", pool: name }) };
    const size = allocatableCount(pool.spec);
    if (taken(name) > size) return { refusal: refused({ kind: "poolExhausted", pool: name, size }) };
  }
  let cursor = tables.poolCursor;
  const open = networks.flatMap((network, at) =>
    network.pool === null && pools[at] === null ? [{ tags: network.tags, at }] : [],
  );
  const carrying = (tags: readonly string[]): readonly IpPoolRecord[] =>
    [...tables.pools.now()].filter(({ spec }) => tags.every((tag) => spec.tags.includes(tag)));
  // Whoever has the least choice goes first.
  open.sort((left, right) => carrying(left.tags).length - carrying(right.tags).length);
  for (const { tags, at } of open) {
    const candidates = carrying(tags).filter(({ spec }) => spec.enabled && taken(spec.name) < allocatableCount(spec));
    const strategy = tables.poolStrategy.get(ONLY) ?? "least-used";
    const chosen = preferred(candidates, strategy, cursor, wanted, (pool) => taken(pool.spec.name));
    if (chosen === null) return { refusal: nothingFor(tags, carrying(tags)) };
    if (strategy === "round-robin") cursor = chosen.number;
    pools[at] = chosen.spec.name;
  }
  tables.poolCursor = cursor;
  const addresses = pools.map((pool, at) => kept[at] ?? take(tables, vm, pool ?? ""));
  return { addresses, refusal: null };
}

function take(tables: Tables, vm: string, name: string): VmAddress {
  const pool = tables.pools.get(name);
  const index =
    pool && nextFree(pool.spec, pool.cursor, (candidate) => tables.addresses.has(addressKey(name, candidate)));
  if (pool === null || index === null) throw new RangeError(`the model finds no address in pool ${name}`);
  tables.addresses.set(addressKey(name, index), vm);
  tables.pools.set(name, tables.index, { ...pool, cursor: index, usedCount: pool.usedCount + 1 });
  return { pool: name, index };
}

export function giveBack(tables: Tables, addresses: readonly VmAddress[]): void {
  for (const { pool: name, index } of addresses) {
    tables.addresses.delete(addressKey(name, index));
    const pool = tables.pools.get(name);
    if (pool !== null) tables.pools.set(name, tables.index, { ...pool, usedCount: pool.usedCount - 1 });
  }
}

/** The pool to take, by the strategy; by name where several are as good. */
function preferred(
  candidates: readonly IpPoolRecord[],
  strategy: PoolStrategy,
  cursor: number,
  { locality }: Wanted,
  usedOf: (pool: IpPoolRecord) => number,
): IpPoolRecord | null {
  const share = (pool: IpPoolRecord): number => usedOf(pool) / allocatableCount(pool.spec);
  const turn = ({ number }: IpPoolRecord): number => (number > cursor ? number : number + CLUSTER_LIMITS.ipPoolNumber);
  const ranks = (pool: IpPoolRecord): readonly number[] => {
    switch (strategy) {
      case "least-used":
        return [share(pool)];
      case "most-used":
        return [-share(pool)];
      case "round-robin":
        return [turn(pool)];
      case "topology-aware":
        return [-nearness(pool, locality), share(pool)];
    }
  };
  const ranked = candidates.map((pool) => ({ pool, ranks: ranks(pool) }));
  ranked.sort((left, right) => {
    for (const [at, rank] of left.ranks.entries()) {
      const difference = rank - (right.ranks[at] ?? 0);
      if (difference !== 0) return difference;
    }
    return left.pool.spec.name < right.pool.spec.name ? -1 : 1;
  });
  return ranked[0]?.pool ?? null;
}

/** 3: its zone; 2: its datacenter; 1: nobody says; 0: elsewhere. */
function nearness({ spec: { datacenter, zone } }: IpPoolRecord, locality: VmSpec["locality"]): number {
  if (locality === null) return 1;
  const { preferredDatacenter, preferredZone, excludedDatacenters } = locality;
  if (datacenter !== null && excludedDatacenters.includes(datacenter)) return 0;
  const isIndifferent = preferredDatacenter === null && preferredZone === null;
  if (isIndifferent || (datacenter === null && zone === null)) return 1;
  const isElsewhere = datacenter !== null && preferredDatacenter !== null && datacenter !== preferredDatacenter;
  if (isElsewhere) return 0;
  if (zone !== null && zone === preferredZone) return 3;
  return datacenter !== null && datacenter === preferredDatacenter ? 2 : 0;
}

function nothingFor(tags: readonly string[], pools: readonly IpPoolRecord[]): CommandResult {
  const enabled = pools.filter(({ spec }) => spec.enabled);
  const disabledCount = pools.length - enabled.length;
  if (pools.length === 0) return refused({ kind: "noPoolWithTags", tags });
  if (enabled.length === 0) return refused({ kind: "poolsDisabled", tags, disabledCount });
  const size = enabled.reduce((sum, { spec }) => sum + allocatableCount(spec), 0);
  return refused({ kind: "poolsExhausted", tags, size, disabledCount });
}

/** What a VM keeps of its addresses when its networks change: first of what stays the same, then of what still fits. */
export function kept(
  tables: Tables,
  vm: Pick<VmRecord, "spec" | "addresses">,
  networks: readonly NetworkAttachment[],
): readonly (VmAddress | null)[] {
  const free = new Set(vm.addresses.keys());
  const result: (VmAddress | null)[] = networks.map(() => null);
  const serves = (address: VmAddress, network: NetworkAttachment): boolean => {
    if (network.pool !== null) return network.pool === address.pool;
    const tags = tables.pools.get(address.pool)?.spec.tags ?? null;
    return tags !== null && network.tags.every((tag) => tags.includes(tag));
  };
  const rules: ((held: number, network: NetworkAttachment) => boolean)[] = [
    (held, network) => isSame(vm.spec.networks[held], network),
    (held, network) => {
      const address = vm.addresses[held];
      return address !== undefined && serves(address, network);
    },
  ];
  for (const holds of rules) {
    for (const [at, network] of networks.entries()) {
      if (result[at] !== null) continue;
      const found = [...free].find((held) => holds(held, network));
      if (found === undefined) continue;
      free.delete(found);
      result[at] = vm.addresses[found] ?? null;
    }
  }
  return result;
}

export const poolRules = {
  createPool(tables, { spec }) {
    if (tables.pools.get(spec.name) !== null) return refused({ kind: "poolExists" });
    const maximum = tables.limits.ipPools;
    if (tables.pools.count >= maximum) return refused({ kind: "limitReached", limit: "ipPools", maximum });
    for (const other of tables.pools.now())
      if (other.spec.vlan === spec.vlan && poolsOverlap(other.spec, spec))
        return refused({ kind: "poolOverlaps", pool: other.spec.name });
    const number = tables.nextPoolNumber;
    tables.nextPoolNumber += 1;
    tables.pools.set(spec.name, tables.index, { spec, number, cursor: -1, usedCount: 0 });
    tables.happened({ kind: "poolChanged", pool: spec.name, change: "created" });
    return { ok: true, kind: "poolCreated" };
  },
  deletePool(tables, { name }) {
    const pool = tables.pools.get(name);
    if (pool === null) return refused({ kind: "poolNotFound", pool: name });
    if (pool.usedCount > 0) return refused({ kind: "poolInUse", usedCount: pool.usedCount });
    tables.pools.set(name, tables.index, null);
    tables.happened({ kind: "poolChanged", pool: name, change: "deleted" });
    return { ok: true, kind: "poolDeleted" };
  },
  setPoolEnabled(tables, { name, enabled }) {
    const pool = tables.pools.get(name);
    if (pool === null) return refused({ kind: "poolNotFound", pool: name });
    if (pool.spec.enabled !== enabled) {
      tables.pools.set(name, tables.index, { ...pool, spec: { ...pool.spec, enabled } });
      tables.happened({ kind: "poolChanged", pool: name, change: enabled ? "enabled" : "disabled" });
    }
    return { ok: true, kind: "poolChanged" };
  },
  setPoolStrategy(tables, { strategy }) {
    if (tables.poolStrategy.get(ONLY) !== strategy) {
      tables.poolStrategy.set(ONLY, tables.index, strategy);
      tables.happened({ kind: "poolStrategySet", strategy });
    }
    return { ok: true, kind: "poolStrategySet" };
  },
} satisfies Rules;
