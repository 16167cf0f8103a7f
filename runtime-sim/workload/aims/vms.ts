/** What is asked of VMs. All clients share a few names, so that they meet. */
import { type Command, type VmSpec, vmSpec } from "../../../core/index.ts";
import { VALUE_KEY } from "../operation.ts";
import { type Aim, type Draft, pick, read, write } from "./aim.ts";
import { LIMITED_TENANTS } from "./tenants.ts";

/** A spec that nobody else writes. */
export function freshSpec(draft: Pick<Draft, "next">, fields: Partial<VmSpec> = {}): VmSpec {
  return vmSpec({ ...fields, metadata: { [VALUE_KEY]: String(draft.next()) } });
}

function existing({ rng, belief }: Draft): string | null {
  return pick(rng, belief.vms.keys());
}

/** A name that is free by all that is known; or none, when all are taken. */
function free({ rng, belief, names }: Draft): string | null {
  return pick(
    rng,
    names.filter((name) => !belief.vms.has(name)),
  );
}

/** Mostly one that others may create at any time, sometimes one that never was. */
function absent(draft: Draft): string {
  return draft.rng.chance(0.7) ? (free(draft) ?? "nobody") : "nobody";
}

function create(draft: Draft, name: string | null, fields: Partial<VmSpec>): Command | null {
  return name === null ? null : { kind: "createVm", name, spec: freshSpec(draft, fields) };
}

function update(draft: Draft, name: string | null, change: (spec: VmSpec) => Partial<VmSpec>): Command | null {
  const known = name === null ? undefined : draft.belief.vms.get(name);
  if (name === null || known === undefined) return null;
  const { networks, tenant, vcpus, memoryMiB } = known.spec;
  const spec = freshSpec(draft, { networks, tenant, vcpus, memoryMiB, ...change(known.spec) });
  return { kind: "updateVm", name, expectedGeneration: known.generation, spec };
}

/** Any of the commands that name a VM and need nothing else. */
function about(draft: Draft, name: string | null): Command | null {
  if (name === null) return null;
  const { rng } = draft;
  switch (rng.integer(1, 5)) {
    case 1:
      return { kind: "updateVm", name, expectedGeneration: rng.integer(1, 5), spec: freshSpec(draft) };
    case 2:
      return { kind: "deleteVm", name, expectedGeneration: rng.chance(0.5) ? null : rng.integer(1, 5) };
    case 3:
      return { kind: "setVmDesired", name, desired: rng.chance(0.5) ? "running" : "stopped" };
    case 4:
      return { kind: "restartVm", name };
    default:
      return { kind: "migrateVm", name, to: rng.chance(0.5) ? null : rng.integer(1, 9) };
  }
}

function anotherTenant({ rng }: Draft): string {
  return rng.pick(["default", "default", ...LIMITED_TENANTS]);
}

export const vmAims: readonly Aim[] = [
  read(60, ({ rng, names }) => ({ kind: "getVm", name: rng.pick(names) })),
  read(5, ({ rng, belief }) => {
    const afterName = belief.pages.get("listVms") ?? null;
    return {
      kind: "listVms",
      afterName: rng.chance(0.3) ? null : afterName,
      limit: rng.pick([1, 1, 2, 3, 1000]),
      tenant: rng.chance(0.2) ? rng.pick(LIMITED_TENANTS) : null,
    };
  }),
  read(1, (draft) => ({ kind: "planVm", name: absent(draft), spec: vmSpec({ vcpus: draft.rng.integer(1, 64) }) })),
  read(1, ({ rng, names }) => ({ kind: "explainVm", name: rng.pick(names) })),
  read(1, ({ rng }) => ({ kind: "planRebalance", movesMax: rng.integer(1, 10) })),

  write("ok", 25, (draft) => create(draft, free(draft), { tenant: anotherTenant(draft) })),
  write("ok", 30, (draft) => update(draft, existing(draft), () => ({}))),
  write("ok", 3, (draft) => update(draft, existing(draft), () => ({ tenant: anotherTenant(draft) }))),
  write("ok", 3, (draft) => update(draft, existing(draft), ({ vcpus }) => ({ vcpus: 1 + (vcpus % 8) }))),
  write("ok", 12, (draft) => {
    const name = existing(draft);
    const known = name === null ? undefined : draft.belief.vms.get(name);
    if (name === null || known === undefined) return null;
    return { kind: "deleteVm", name, expectedGeneration: draft.rng.chance(0.5) ? known.generation : null };
  }),
  write("ok", 8, (draft) => {
    const name = existing(draft);
    return name === null
      ? null
      : { kind: "setVmDesired", name, desired: draft.rng.chance(0.5) ? "running" : "stopped" };
  }),
  write("ok", 1, () => ({ kind: "rebalance", moves: [] })),

  write("vmExists", 1, (draft) => create(draft, existing(draft), {})),
  write("vmNotFound", 1, (draft) => about(draft, absent(draft))),
  write("generationMismatch", 3, (draft) => {
    const command = update(draft, existing(draft), () => ({}));
    if (command?.kind !== "updateVm") return null;
    const { expectedGeneration } = command;
    const another = draft.rng.chance(0.5) ? expectedGeneration + 1 : Math.max(1, expectedGeneration - 1);
    return { ...command, expectedGeneration: another };
  }),
  write("generationMismatch", 1, (draft) => {
    const name = existing(draft);
    const known = name === null ? undefined : draft.belief.vms.get(name);
    if (name === null || known === undefined) return null;
    return { kind: "deleteVm", name, expectedGeneration: known.generation + 1 };
  }),
  write("vmIsNotPlaced", 1, (draft) => {
    const name = existing(draft);
    if (name === null) return null;
    return draft.rng.chance(0.5)
      ? { kind: "restartVm", name }
      : { kind: "migrateVm", name, to: draft.rng.integer(1, 9) };
  }),
  write("vmHasChanged", 1, (draft) => {
    const name = existing(draft);
    return name === null
      ? null
      : { kind: "rebalance", moves: [{ name, epoch: draft.rng.integer(0, 3), to: draft.rng.integer(1, 9) }] };
  }),
  write("quotaExceeded", 2, (draft) => {
    const tenant = pick(draft.rng, draft.belief.quotas.keys());
    return tenant === null ? null : create(draft, free(draft), { tenant, vcpus: draft.rng.pick([2, 64, 512]) });
  }),
  write("quotaExceeded", 1, (draft) =>
    update(draft, existing(draft), () => ({ vcpus: 512, ...(draft.rng.chance(0.5) ? { tenant: "limited-1" } : {}) })),
  ),
  write("tooManyRequests", 1, (draft) => {
    const slow = [...draft.belief.quotas].flatMap(([tenant, { createsPerMinute, requestsBurst }]) =>
      createsPerMinute <= 2 || requestsBurst <= 2 ? [tenant] : [],
    );
    const tenant = pick(draft.rng, slow);
    return tenant === null
      ? null
      : create(draft, free(draft) ?? `extra-${draft.rng.integer(1, 3)}`, { tenant, vcpus: 1 });
  }),
];
