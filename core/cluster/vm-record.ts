import type { VmSpec } from "./vm-spec.ts";

/** SPEC section 2. Only Pending is reached until there are workers. */
export const VM_STATES = [
  "Pending",
  "Scheduled",
  "Building",
  "Starting",
  "Running",
  "Stopping",
  "Stopped",
  "Failed",
  "Lost",
] as const;
export type VmState = (typeof VM_STATES)[number];

export const DESIRED_STATES = ["running", "stopped"] as const;
export type DesiredState = (typeof DESIRED_STATES)[number];

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
  /** Number of placements so far: 0 until first placed. */
  readonly epoch: number;
  /** Log index of the entry that created it: tells apart two VMs of one name, one after the other. */
  readonly createdIndex: number;
  /** Log index of the entry that last changed it. */
  readonly updatedIndex: number;
  /** Cluster time (`ClusterState.timeMs`) then, milliseconds since 1970. */
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}
