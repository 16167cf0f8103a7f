/** What a client asks for: a VM's specification, with the field names and defaults of SPEC section 2. Limits are in limits.ts. */
import type { FailureDomain } from "./failure-domain.ts";

export const HYPERVISORS = ["qemu", "cloud-hypervisor", "firecracker"] as const;
export type Hypervisor = (typeof HYPERVISORS)[number];

export interface VmSpec {
  /** 1 to 1,024. */
  readonly vcpus: number;
  /** 1 to 2^24 (16 TiB). */
  readonly memoryMiB: number;
  /** 0 to 2^20 (1 PiB). */
  readonly diskGiB: number;
  readonly hypervisor: Hypervisor;
  /** A label; see `label` in fields.ts. */
  readonly tenant: string;
  /** 0 to 1,000; higher goes first. */
  readonly priority: number;
  readonly preemptible: boolean;
  /** Labels that a worker must offer. */
  readonly features: readonly string[];
  readonly antiAffinity: readonly AntiAffinity[];
  readonly locality: Locality | null;
  readonly networks: readonly NetworkAttachment[];
  readonly volumes: readonly Volume[];
  /** What to boot; null: the driver's default guest. */
  readonly source: VmSource | null;
  readonly healthChecks: readonly HealthCheck[];
  readonly recovery: RecoveryPolicy;
  /** Keys: lower-case letters, digits and inner `.`, `_`, `/`, `-`, at most 63, beginning and ending with a letter or digit. At most 64 pairs. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Whether it runs elsewhere once its worker is surely gone, or waits for that worker. */
  readonly onWorkerLost: OnWorkerLost;
  /** The one worker that it may run on; null: any. */
  readonly workerId: number | null;
}

export const ON_WORKER_LOST = ["restart", "wait"] as const;
export type OnWorkerLost = (typeof ON_WORKER_LOST)[number];

export interface AntiAffinity {
  /** A label. */
  readonly group: string;
  /** Null: hard. Otherwise soft with this weight, 0 to 1,000. */
  readonly softWeight: number | null;
  /** At least 1. */
  readonly maxPerDomain: number;
  readonly scope: FailureDomain;
}

/** Names of datacenters and zones are labels. */
export interface Locality {
  readonly preferredDatacenter: string | null;
  readonly preferredZone: string | null;
  readonly strict: boolean;
  readonly excludedDatacenters: readonly string[];
}

/** Where an address comes from: the VM's own `addresses` say which it is. */
export type NetworkAttachment =
  /** Name of the IP pool. */
  | { readonly pool: string }
  /** Whichever pool the cluster chooses of those that carry all the tags. Labels. */
  | { readonly pool: null; readonly tags: readonly string[] };

export interface Volume {
  /** A label, once in a VM. */
  readonly name: string;
  readonly sizeGiB: number;
}

export type VmSource =
  | { readonly kind: "image"; readonly image: string }
  | { readonly kind: "nixModule"; readonly nixModule: string };

export interface HealthCheck {
  /** A label, once in a VM. */
  readonly name: string;
  readonly probe: HealthProbe;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly initialDelayMs: number;
  /** Failures in a row that turn it unhealthy, 1 to 100. */
  readonly failures: number;
  /** Successes in a row that turn it healthy, 1 to 100. */
  readonly successes: number;
  /** 0 to 1,000. */
  readonly weight: number;
  readonly critical: boolean;
}

export const HEALTH_PROBE_KINDS = ["http", "tcp", "script", "console", "process", "guestAgent"] as const;

export type HealthProbe =
  | { readonly kind: "http"; readonly port: number; readonly path: string }
  | { readonly kind: "tcp"; readonly port: number }
  | { readonly kind: "script"; readonly script: string }
  | { readonly kind: "console"; readonly pattern: string }
  | { readonly kind: "process"; readonly process: string }
  | { readonly kind: "guestAgent" };

/** Restart with growing delays; after `restartsMax` move to another worker. */
export interface RecoveryPolicy {
  readonly restartsMax: number;
  readonly backoffMs: number;
  readonly backoffFactor: number;
  readonly backoffMaxMs: number;
  /** Healthy for this long, a VM has its restarts back. */
  readonly resetAfterMs: number;
}

export const DEFAULT_RECOVERY: RecoveryPolicy = Object.freeze({
  restartsMax: 3,
  backoffMs: 5_000,
  backoffFactor: 2,
  backoffMaxMs: 300_000,
  resetAfterMs: 3_600_000,
});

/** Those fields of a health check that SPEC gives a default. */
export const DEFAULT_HEALTH_CHECK = Object.freeze({
  intervalMs: 30_000,
  initialDelayMs: 60_000,
  failures: 3,
  successes: 2,
});

export const DEFAULT_VM_SPEC: VmSpec = Object.freeze({
  vcpus: 2,
  memoryMiB: 1024,
  diskGiB: 5,
  hypervisor: "cloud-hypervisor",
  tenant: "default",
  priority: 500,
  preemptible: true,
  features: Object.freeze([]),
  antiAffinity: Object.freeze([]),
  locality: null,
  networks: Object.freeze([]),
  volumes: Object.freeze([]),
  source: null,
  healthChecks: Object.freeze([]),
  recovery: DEFAULT_RECOVERY,
  metadata: Object.freeze({}),
  onWorkerLost: "restart",
  workerId: null,
});

/** The defaults with some fields replaced. Nothing is checked here: `encodeRequest` does. */
export function vmSpec(fields: Partial<VmSpec> = {}): VmSpec {
  return { ...DEFAULT_VM_SPEC, ...fields };
}
