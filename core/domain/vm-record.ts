import type { Resources } from "./resources.ts";
import type { VmSpec } from "./vm-spec.ts";
import type { VmState } from "./vm-states.ts";

/** deleted: the record goes once its machine, disk and addresses are seen gone. */
export const DESIRED_STATES = ["running", "stopped", "deleted"] as const;
export type DesiredState = (typeof DESIRED_STATES)[number];

/** Why a VM has to leave its worker. */
export const EVICTION_CAUSES = ["drain", "preempted", "migrate", "rebalance", "recovery"] as const;
export type EvictionCause = (typeof EVICTION_CAUSES)[number];

/** What the cluster knows of one VM. Immutable. */
export interface VmRecord {
  /** A label: 1 to 63 lower-case letters, digits and inner hyphens (RFC 1123). */
  readonly name: string;
  /** Always `spec.tenant`. */
  readonly tenant: string;
  readonly spec: VmSpec;
  readonly state: VmState;
  readonly desired: DesiredState;
  /** 1 when created, one more with each change of the spec. */
  readonly generation: number;
  /**
   * Names one run of its machine: the log index of the entry that called for it, so that no run of any VM, of this name or another, ever has the
   * same. 0 until first placed.
   */
  readonly epoch: number;
  /** Where it is placed, and holds room, until it has been seen gone; null: nowhere. */
  readonly workerId: number | null;
  /** What it was placed with: a later spec takes effect with the next placement, and until then both must fit. Null: not placed. */
  readonly placed: Resources | null;
  /** Not null: it must be gone from its worker, and is then placed anew. */
  readonly eviction: EvictionCause | null;
  /** Where room is kept for it, or where it shall go next; null: wherever the scheduler likes. */
  readonly targetId: number | null;
  /** The worker that restarts did not help on: any other is better. */
  readonly avoidId: number | null;
  /** Why it is as it is, for people: at most 256 characters, empty when there is nothing to say. */
  readonly reason: string;
  /** Restarts on this worker since it was last healthy for long. */
  readonly restarts: number;
  /** Moves to another worker because restarts did not help, since it was last healthy for long. */
  readonly relocations: number;
  /** Cluster time at which it last began to run; 0: it never ran. */
  readonly runningSinceMs: number;
  /** One for each of `spec.networks`, from creation to the end. */
  readonly addresses: readonly VmAddress[];
  /** Log index of the entry that created it: tells apart two VMs of one name, one after the other. */
  readonly createdIndex: number;
  /** Log index of the entry that last changed it. */
  readonly updatedIndex: number;
  /** Cluster time (`ClusterState.timeMs`) then, milliseconds since 1970. */
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}

/** A place in an IP pool; the address, the MAC and the name of the tap device follow from it. */
export interface VmAddress {
  readonly pool: string;
  readonly index: number;
}

/** What a worker has to do about a VM that is placed on it. */
export const INTENTS = ["run", "stop", "gone"] as const;
export type Intent = (typeof INTENTS)[number];

export function intentOf(vm: VmRecord): Intent {
  if (vm.desired === "deleted" || vm.eviction !== null) return "gone";
  return vm.desired === "stopped" ? "stop" : "run";
}

export function resourcesOf(spec: VmSpec): Resources {
  let { diskGiB } = spec;
  for (const { sizeGiB } of spec.volumes) diskGiB += sizeGiB;
  return { vcpus: spec.vcpus, memoryMiB: spec.memoryMiB, diskGiB };
}

/** What a VM holds where it is placed: enough for the spec that may still run, and for the one that comes next. */
export function heldBy(vm: VmRecord): Resources {
  const now = resourcesOf(vm.spec);
  const { placed } = vm;
  if (placed === null) return now;
  return {
    vcpus: Math.max(now.vcpus, placed.vcpus),
    memoryMiB: Math.max(now.memoryMiB, placed.memoryMiB),
    diskGiB: Math.max(now.diskGiB, placed.diskGiB),
  };
}

export function groupsOf(spec: VmSpec): readonly string[] {
  if (spec.antiAffinity.length === 0) return NO_GROUPS;
  return [...new Set(spec.antiAffinity.map(({ group }) => group))];
}

const NO_GROUPS: readonly string[] = Object.freeze([]);
