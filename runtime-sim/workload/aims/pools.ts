/** Pools of few addresses, and VMs that want some. */
import { type Command, type IpPoolSpec, POOL_STRATEGIES } from "../../../core/index.ts";
import { type Aim, type Draft, pick, read, write } from "./aim.ts";
import { freshSpec } from "./vms.ts";

const PLAIN = {
  gateway: null,
  dns: [],
  rangeFirst: null,
  rangeLast: null,
  vlan: null,
  reserved: [],
  zone: null,
};
const TAGS = ["public", "fast"];
/** Nobody has these tags. */
const STRANGE_TAG = "strange";

type Networks = Extract<Command, { readonly kind: "createVm" }>["spec"]["networks"];

/** Each pool has a subnet of its own, unless it is to overlap another's. */
function poolSpec({ rng }: Draft, number: number, subnetOf = number): IpPoolSpec {
  return {
    ...PLAIN,
    name: `pool-${number}`,
    // One to six addresses.
    subnet: `10.${subnetOf}.0.0/${rng.pick([29, 30, 30, 31])}`,
    tags: TAGS.filter(() => rng.chance(0.6)),
    datacenter: rng.pick(["", "east", "west"]) || null,
    enabled: rng.chance(0.85),
  };
}

function known({ rng, belief }: Draft, fits: (spec: IpPoolSpec) => boolean = () => true): IpPoolSpec | null {
  return pick(rng, [...belief.pools.values()].filter(fits));
}

/** A VM with networks: a new one, or one that gets other networks. */
function attach(draft: Draft, networks: Networks | null): Command | null {
  if (networks === null) return null;
  const { rng, belief, names } = draft;
  const name = rng.pick(names);
  const vm = belief.vms.get(name);
  const preferredDatacenter = rng.pick(["", "east", "west"]) || null;
  const locality = { preferredDatacenter, preferredZone: null, strict: false, excludedDatacenters: [] };
  const spec = freshSpec(draft, { networks, ...(rng.chance(0.5) ? { locality } : {}) });
  if (vm === undefined) return { kind: "createVm", name, spec };
  return { kind: "updateVm", name, expectedGeneration: vm.generation, spec };
}

const named = (spec: IpPoolSpec | null): Networks | null => (spec === null ? null : [{ pool: spec.name }]);

function wanted(draft: Draft): Networks | null {
  const { rng } = draft;
  if (draft.belief.pools.size === 0) return null;
  const network = (): Networks[number] => {
    const spec = rng.chance(0.5) ? known(draft, ({ enabled }) => enabled) : null;
    return spec === null ? { pool: null, tags: TAGS.filter(() => rng.chance(0.3)) } : { pool: spec.name };
  };
  return Array.from({ length: rng.pick([1, 1, 2, 3]) }, network);
}

export const poolAims: readonly Aim[] = [
  read(3, () => ({ kind: "listPools" })),
  write("ok", 4, (draft) => {
    const number = draft.rng.integer(1, 6);
    if (draft.belief.pools.has(`pool-${number}`)) return null;
    return { kind: "createPool", spec: poolSpec(draft, number) };
  }),
  write("ok", 1, (draft) => {
    const spec = known(draft);
    return spec && { kind: "deletePool", name: spec.name };
  }),
  write("ok", 2, (draft) => {
    const spec = known(draft);
    return spec && { kind: "setPoolEnabled", name: spec.name, enabled: !spec.enabled };
  }),
  write("ok", 1, ({ rng }) => ({ kind: "setPoolStrategy", strategy: rng.pick(POOL_STRATEGIES) })),
  write("ok", 8, (draft) => attach(draft, wanted(draft))),
  write("poolExists", 1, (draft) => {
    const spec = known(draft);
    return spec && { kind: "createPool", spec: { ...poolSpec(draft, 7), name: spec.name } };
  }),
  write("poolOverlaps", 1, (draft) => {
    const spec = known(draft);
    const number = Number(spec?.name.slice(-1) ?? 0);
    return spec && { kind: "createPool", spec: poolSpec(draft, 8, number) };
  }),
  write("poolInUse", 1, (draft) => {
    const used = new Set([...draft.belief.vms.values()].flatMap(({ spec }) => spec.networks.map(({ pool }) => pool)));
    const spec = known(draft, ({ name }) => used.has(name)) ?? known(draft);
    return spec && { kind: "deletePool", name: spec.name };
  }),
  write("poolNotFound", 1, ({ rng }) => {
    const name = "pool-none";
    return rng.chance(0.5) ? { kind: "deletePool", name } : { kind: "setPoolEnabled", name, enabled: true };
  }),
  write("poolNotFound", 1, (draft) => attach(draft, [{ pool: "pool-none" }])),
  write("poolDisabled", 1, (draft) => attach(draft, named(known(draft, ({ enabled }) => !enabled)))),
  write("poolExhausted", 1, (draft) => {
    const spec = known(draft, ({ enabled }) => enabled);
    return (
      spec &&
      attach(
        draft,
        Array.from({ length: draft.rng.integer(1, 7) }, () => ({ pool: spec.name })),
      )
    );
  }),
  write("noPoolWithTags", 1, (draft) => attach(draft, [{ pool: null, tags: [STRANGE_TAG] }])),
  write("poolsDisabled", 1, (draft) => attach(draft, [{ pool: null, tags: draft.rng.chance(0.5) ? TAGS : ["fast"] }])),
  write("poolsExhausted", 1, (draft) => {
    if (draft.belief.pools.size === 0) return null;
    return attach(
      draft,
      Array.from({ length: draft.rng.integer(4, 20) }, () => ({ pool: null, tags: [] })),
    );
  }),
];
