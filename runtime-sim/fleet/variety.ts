/**
 * What a seed draws of a fleet: which hosts there are, what tenants and operators ask for and how often. Each field
 * has a random stream of its own, so that none depends on another.
 */
import { drawRange, type Range, type Streams } from "../random/index.ts";
import { type FleetShape, WISHES, type Wish } from "./shape.ts";

/** Whole numbers, each drawn from a range. */
const WHOLE = [
  "workers",
  "datacenters",
  "zones",
  "racks",
  "vms",
  "vmsMax",
  "tenants",
  "poolSize",
  "pools",
  "askers",
] as const;
/** Shares of all VMs, each drawn from a range within [0, 1]. */
const SHARES = ["groupShare", "waitShare", "healthShare", "openShare"] as const;
/** What is no single number: one of the values that the scenario lists is picked. */
type Picked =
  | "vcpus"
  | "memoryMiB"
  | "hypervisor"
  | "scheduler"
  | "overcommit"
  | "vmVcpus"
  | "vmMemoryMiB"
  | "vmPriority"
  | "recovery"
  | "quota"
  | "askEveryMs"
  | "questionEveryMs"
  | "removeEveryMs";

type Picks = { readonly [K in Picked]: readonly [FleetShape[K], ...FleetShape[K][]] };

/** Fields that are left out stay as the shape has them. */
export interface FleetVariety extends Partial<Picks> {
  readonly whole: Readonly<Partial<Record<(typeof WHOLE)[number], Range>>>;
  readonly shares: Readonly<Partial<Record<(typeof SHARES)[number], Range>>>;
  /** Share of seeds in which a kind of wish comes at all, and then how often, relative to the others. */
  readonly wishShare: number;
  readonly wishWeight: Range;
}

export function drawFleet(shape: FleetShape, variety: FleetVariety, streams: Streams): FleetShape {
  const streamOf = (field: string) => streams.stream(`plan/fleet/${field}`);
  const whole: Partial<Record<(typeof WHOLE)[number], number>> = {};
  for (const field of WHOLE) {
    const range = variety.whole[field];
    if (range !== undefined) whole[field] = drawRange(range, streamOf(field), true);
  }
  const shares: Partial<Record<(typeof SHARES)[number], number>> = {};
  for (const field of SHARES) {
    const range = variety.shares[field];
    if (range !== undefined) shares[field] = drawRange(range, streamOf(field), false);
  }
  const pick = <K extends Picked>(field: K): FleetShape[K] => {
    const values: Partial<Picks>[K] = variety[field];
    return values === undefined
      ? shape[field]
      : (values[streamOf(field).integer(0, values.length - 1)] ?? shape[field]);
  };
  const drawn: FleetShape = {
    ...shape,
    ...whole,
    ...shares,
    vcpus: pick("vcpus"),
    memoryMiB: pick("memoryMiB"),
    hypervisor: pick("hypervisor"),
    scheduler: pick("scheduler"),
    overcommit: pick("overcommit"),
    vmVcpus: pick("vmVcpus"),
    vmMemoryMiB: pick("vmMemoryMiB"),
    vmPriority: pick("vmPriority"),
    recovery: pick("recovery"),
    quota: pick("quota"),
    askEveryMs: pick("askEveryMs"),
    questionEveryMs: pick("questionEveryMs"),
    removeEveryMs: pick("removeEveryMs"),
    wishes: drawWishes(variety, streams),
  };
  return {
    ...drawn,
    // As many as are asked for at the start there may be, and no pool is empty.
    vmsMax: Math.max(drawn.vms, drawn.vmsMax),
    pools: Math.max(1, Math.min(drawn.pools, drawn.poolSize)),
  };
}

function drawWishes({ wishShare, wishWeight }: FleetVariety, streams: Streams): FleetShape["wishes"] {
  const wishes: Partial<Record<Wish, number>> = {};
  for (const wish of WISHES) {
    const rng = streams.stream(`plan/fleet/wish/${wish}`);
    if (rng.chance(wishShare)) wishes[wish] = drawRange(wishWeight, rng, true);
  }
  // What is deleted is created anew, or soon there is nothing left to ask about.
  return wishes.delete === undefined ? wishes : { ...wishes, create: Math.max(wishes.delete, wishes.create ?? 0) };
}
