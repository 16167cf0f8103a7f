/** The record of a VM: what its owner wants, where it is, and what it holds there. */
import { choice, defaults, type Infer, integer, list, nullable, record, text } from "../schema/index.ts";
import { nameSchema, nodeIdSchema } from "./identity.ts";
import { CLUSTER_LIMITS } from "./limits.ts";
import { countSchema, demandAtMost, generationSchema, instantMsSchema } from "./numbers.ts";
import { type Resources, resourcesSchema } from "./resources.ts";
import { type VmSpec, vmSpecSchema } from "./vm-spec.ts";
import { VM_STATES } from "./vm-states.ts";

/** deleted: the record goes once its machine, disk and addresses are seen gone. */
export const DESIRED_STATES = ["running", "stopped", "deleted"] as const;

/** Why a VM has to leave its worker. */
export const EVICTION_CAUSES = ["drain", "preempted", "migrate", "rebalance", "recovery"] as const;

export const reasonSchema = text(0, CLUSTER_LIMITS.reasonLength).doc(
  "Why it is as it is, for people; empty when there is nothing to say",
);

/** A place in an IP pool; the address, the MAC and the name of the tap device follow from it. */
const vmAddressSchema = record({ pool: nameSchema, index: countSchema });
export type VmAddress = Infer<typeof vmAddressSchema>;

/** What a VM has since there are workers. */
export const placementFields = {
  workerId: nullable(nodeIdSchema)
    .default(null)
    .doc("Where it is placed and holds room, until it is seen gone; null: nowhere"),
  /** A later spec takes effect with the next run, and until then both must fit. */
  placed: nullable(resourcesSchema)
    .default(null)
    .doc("What its machine may have been built with; null: it is not placed, or was seen stopped and holds its spec"),
  eviction: nullable(choice(EVICTION_CAUSES))
    .default(null)
    .doc("Why it has to leave its worker, and is then placed anew; null: it may stay"),
  targetId: nullable(nodeIdSchema)
    .default(null)
    .doc("Where room is kept for it, or where it shall go next; null: wherever the scheduler likes"),
  avoidId: nullable(nodeIdSchema)
    .default(null)
    .doc("The worker that it shall not go back to if any other will have it"),
  reason: reasonSchema.default(""),
  restarts: countSchema.default(0).doc("On this worker, since it was last healthy for long"),
  relocations: countSchema.default(0).doc("Because restarts did not help, since it was last healthy for long"),
  runningSinceMs: instantMsSchema.default(0).doc("When it last began to run; 0: never"),
  addresses: list(vmAddressSchema, { lengthMax: CLUSTER_LIMITS.listLength })
    .default(Object.freeze([]))
    .doc("One for each of its networks, from creation to the end"),
};
const placementSchema = record(placementFields);
type Placement = Infer<typeof placementSchema>;

/** Of a VM that nobody has placed. */
export const NO_PLACEMENT: Placement = defaults(placementSchema);

/** Of a VM, beside its place. */
export const vmFields = {
  name: nameSchema,
  spec: vmSpecSchema,
  state: choice(VM_STATES),
  desired: choice(DESIRED_STATES),
  generation: generationSchema.doc("1 when created, one more with each change of the spec"),
  /**
   * The log index of the entry that called for it, so that no run of any VM, of this name or another, ever has the
   * same.
   */
  epoch: countSchema.doc("Names one run of its machine; 0: it never had one"),
  /** Tells apart two VMs of one name, one after the other. */
  createdIndex: integer(1).doc("Of the entry that created it"),
  updatedIndex: integer(1).doc("Of the entry that last changed it"),
  createdAtMs: instantMsSchema,
  updatedAtMs: instantMsSchema,
};

/** What a snapshot holds of a VM. */
export const storedVmSchema = record({
  ...vmFields,
  placement: placementSchema.default(NO_PLACEMENT).since(3),
}).rule(
  "created before it was changed",
  ({ createdIndex, updatedIndex, createdAtMs, updatedAtMs }) => {
    demandAtMost(updatedIndex, createdIndex, ".createdIndex");
    demandAtMost(updatedAtMs, createdAtMs, ".createdAtMs");
  },
  (vm) => ({ ...vm, createdIndex: 1, createdAtMs: 0 }),
);
type StoredVm = Infer<typeof storedVmSchema>;

/** What the cluster knows of one VM. Immutable. */
export interface VmRecord extends Omit<StoredVm, "placement">, Placement {
  /** Always `spec.tenant`. */
  readonly tenant: string;
}

/** The record that a snapshot held. */
export function restoredVm({ placement, ...vm }: StoredVm): VmRecord {
  return Object.freeze({ ...vm, tenant: vm.spec.tenant, ...placement });
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
