/**
 * The contract between a worker's agent, its host, and the cluster.
 *
 * A *machine* is one run of one VM: a name and an epoch. Within an epoch it is started at most once; whatever stops
 * it, the next start has a higher epoch, which only the replicated state hands out, and never twice. A host has at
 * most one machine of a name.
 */
import type { HealthProbe, Interface, VmSpec, WorkerFacts } from "../domain/index.ts";

/**
 * building → built → starting → running → stopping → stopped; from any of them to failed. A deleted machine is absent.
 */
export const MACHINE_PHASES = [
  "building",
  "built",
  "starting",
  "running",
  "stopping",
  /** It ended as it was told to, or the guest powered off. */
  "stopped",
  /** It could not be built or booted, crashed, was fenced, or its health checks say so. */
  "failed",
] as const;
export type MachinePhase = (typeof MACHINE_PHASES)[number];

/** A machine as the host shows it. Immutable. */
export interface Machine {
  readonly name: string;
  readonly epoch: number;
  readonly phase: MachinePhase;
  /** Why it failed or stopped, for people; at most 256 characters. */
  readonly reason: string;
}

export const JOB_PHASES = ["running", "exited", "failed"] as const;

/** One attempt of a task as the host shows it. An attempt is run at most once. */
export interface Job {
  readonly id: string;
  /** A number that no other attempt of a task of this id ever has. A later one is higher. */
  readonly attempt: number;
  readonly phase: (typeof JOB_PHASES)[number];
  /** Of an exited job. */
  readonly exitCode: number;
  /** The end of what it printed, at most 4,096 characters. */
  readonly output: string;
}

/**
 * What the host is asked to do. There is no answer: the result shows in the inventory. Each action is idempotent and
 * names the run that it means.
 */
export type HostAction =
  /**
   * Makes all that the machine needs, from the spec. Replaces a stopped machine of a lower epoch and keeps its disk.
   */
  | {
      readonly kind: "build";
      readonly name: string;
      readonly epoch: number;
      readonly spec: VmSpec;
      /** One for each of its addresses, in the order of the networks of the spec. */
      readonly interfaces: readonly Interface[];
    }
  | { readonly kind: "start"; readonly name: string; readonly epoch: number }
  /**
   * Asks the guest to power off, and ends it when it has not done so after the `stopTimeoutMs` of the spec that it was
   * built from. A machine that is being built has failed from then on: its builder works on the disk no more.
   */
  | { readonly kind: "stop"; readonly name: string; readonly epoch: number }
  /** Removes a machine that does not run, with its disk, its tap device and its addresses. */
  | { readonly kind: "delete"; readonly name: string; readonly epoch: number }
  /** Runs one health check; the result is an input. */
  | {
      readonly kind: "probe";
      readonly name: string;
      readonly epoch: number;
      readonly check: string;
      readonly probe: HealthProbe;
      readonly timeoutMs: number;
    }
  | {
      readonly kind: "runJob";
      readonly id: string;
      readonly attempt: number;
      readonly command: string;
      readonly args: readonly string[];
      readonly timeoutMs: number;
    }
  | { readonly kind: "endJob"; readonly id: string; readonly attempt: number }
  /** Forgets a job that has ended. */
  | { readonly kind: "forgetJob"; readonly id: string; readonly attempt: number }
  /**
   * The fence, a dead man's switch outside of this process. At `atMs` of the host's monotonic clock it ends every
   * machine and job of the host at once, unless it was set again by then. It survives the process and keeps its last
   * setting. After it has fired, and before it is first set, no machine is started and no job is run, whoever asks
   * and however late the request arrives.
   */
  | { readonly kind: "fenceAt"; readonly atMs: number };

/** What a host is, as it was probed. */
export type HostFacts = WorkerFacts;

/** Everything that an agent ever learns. `nowMs` is the host's monotonic clock. */
export type AgentInput = { readonly nowMs: number } & (
  | { readonly kind: "wake" }
  /** Everything that the host has now, sorted by name and id. */
  | { readonly kind: "inventory"; readonly machines: readonly Machine[]; readonly jobs: readonly Job[] }
  | {
      readonly kind: "probed";
      readonly name: string;
      readonly epoch: number;
      readonly check: string;
      readonly isHealthy: boolean;
    }
  /** The answer to a report; null: there was none. */
  | { readonly kind: "answered"; readonly sequence: number; readonly directive: Uint8Array | null }
  /** A server refuses its reports: the worker has been removed, for ever. */
  | { readonly kind: "removed" }
);

export type AgentEffect =
  | { readonly kind: "report"; readonly to: number; readonly sequence: number; readonly report: Uint8Array }
  | { readonly kind: "act"; readonly action: HostAction }
  | { readonly kind: "wakeAt"; readonly atMs: number }
  /** It has been removed, and nothing is left on its host: there is no more for it to do. */
  | { readonly kind: "ended" }
  /**
   * An assertion has failed, and it does nothing any more: it reports nothing, so that its lease ends, and with that
   * all that runs on its host. The only effect of its step.
   */
  | { readonly kind: "halt"; readonly reason: string };

export interface AgentSettings {
  readonly workerId: number;
  /** A number that no other process of this host has had. */
  readonly bootId: number;
  readonly facts: HostFacts;
  /** A machine that has not been built by then never will be. */
  readonly buildTimeoutMs: number;
  /** Whom to ask first. At least one. */
  readonly servers: readonly number[];
}

/** For `AgentSettings.buildTimeoutMs`: a first build fetches all that the guest is made of. */
export const BUILD_TIMEOUT_MS = 1_800_000;
