import type {
  Availability,
  EvictionCause,
  IpPoolSpec,
  JobObservation,
  MachineObservation,
  PoolStrategy,
  Quota,
  RequestSession,
  SchedulerSettings,
  TaskSpec,
  TokenPurpose,
  VmSpec,
  WorkerFacts,
} from "../domain/index.ts";

/** What the leader asks of the state by itself: it has looked at the cluster, and at what workers report. Each says what it has looked at. */
export type OwnCommand =
  | { readonly kind: "registerWorker"; readonly workerId: number; readonly bootId: number; readonly facts: WorkerFacts }
  /** The lease of that process of the agent has run out, with grace and drift. */
  | { readonly kind: "workerLost"; readonly workerId: number; readonly bootId: number }
  | {
      readonly kind: "observe";
      readonly workerId: number;
      readonly bootId: number;
      readonly machines: readonly MachineObservation[];
      readonly jobs: readonly JobObservation[];
    }
  | { readonly kind: "placeVm"; readonly name: string; readonly epoch: number; readonly workerId: number }
  | {
      readonly kind: "preempt";
      readonly name: string;
      readonly epoch: number;
      readonly workerId: number;
      readonly victims: readonly string[];
    }
  | {
      readonly kind: "evictVm";
      readonly name: string;
      readonly epoch: number;
      readonly cause: EvictionCause;
      /** Where it shall go; null: wherever the scheduler likes. */
      readonly to: number | null;
    }
  | { readonly kind: "recoverVm"; readonly name: string; readonly epoch: number }
  /** The room that is kept for it will not do. */
  | { readonly kind: "dropNomination"; readonly name: string; readonly epoch: number }
  | { readonly kind: "placeTask"; readonly id: string; readonly attempt: number; readonly workerId: number };

export interface RebalanceMove {
  readonly name: string;
  readonly epoch: number;
  readonly to: number;
}

/** What operators and tenants ask for, beside VM records, tokens and nodes. */
export type OperatorCommand =
  | { readonly kind: "setVmDesired"; readonly name: string; readonly desired: "running" | "stopped" }
  | { readonly kind: "restartVm"; readonly name: string }
  | { readonly kind: "migrateVm"; readonly name: string; readonly to: number | null }
  | { readonly kind: "setAvailability"; readonly workerId: number; readonly availability: Availability }
  /** An operator's word that the host is off. A lie may run a VM twice. */
  | { readonly kind: "confirmWorkerDead"; readonly workerId: number }
  | { readonly kind: "setQuota"; readonly tenant: string; readonly quota: Quota | null }
  | { readonly kind: "createPool"; readonly spec: IpPoolSpec }
  | { readonly kind: "deletePool"; readonly name: string }
  | { readonly kind: "setPoolEnabled"; readonly name: string; readonly enabled: boolean }
  | { readonly kind: "submitTask"; readonly id: string; readonly spec: TaskSpec }
  | { readonly kind: "cancelTask"; readonly id: string }
  /** Moves of a plan, each if the VM is still what it was. Refused while the last rebalance is less than ten minutes ago. */
  | { readonly kind: "rebalance"; readonly moves: readonly RebalanceMove[] }
  | { readonly kind: "configureScheduler"; readonly settings: SchedulerSettings }
  /** Which pool a VM gets an address from where it leaves that open. */
  | { readonly kind: "setPoolStrategy"; readonly strategy: PoolStrategy }
  /** Takes a worker that will never come back off the list, and cuts its node off for ever. Refused while anything is placed there, or may be. */
  | { readonly kind: "removeWorker"; readonly workerId: number };

/**
 * What a client can ask the replicated state to do. A generation is a positive integer; names are labels (RFC 1123, lower case, at most 63).
 */
export type Command =
  | OwnCommand
  | OperatorCommand
  /** Begins a client session. Asked again with the same token, it answers the same session. Carries no session itself. */
  | { readonly kind: "openSession"; readonly clientToken: string }
  /** Ends the session that the request carries; its stored results go with it. */
  | { readonly kind: "closeSession" }
  | { readonly kind: "createVm"; readonly name: string; readonly spec: VmSpec }
  | { readonly kind: "updateVm"; readonly name: string; readonly expectedGeneration: number; readonly spec: VmSpec }
  /** With null it is deleted whatever its generation. */
  | { readonly kind: "deleteVm"; readonly name: string; readonly expectedGeneration: number | null }
  /** `ttlMs` is 1 ms to a year, from cluster time on; `nodeId` null lets the token admit anybody. */
  | {
      readonly kind: "createToken";
      readonly id: string;
      readonly secretHash: string;
      readonly purpose: TokenPurpose;
      readonly ttlMs: number;
      readonly nodeId: number | null;
    }
  | { readonly kind: "revokeToken"; readonly id: string }
  /** Binds an id to an identity, and uses the token up. What makes it a member is a configuration of consensus. */
  | {
      readonly kind: "admitNode";
      readonly tokenId: string;
      readonly secretHash: string;
      readonly nodeId: number;
      readonly peerId: string;
      readonly addresses: readonly string[];
    }
  /** One to eight addresses. An id that is unknown is bound to the identity. */
  | {
      readonly kind: "announceNode";
      readonly nodeId: number;
      readonly peerId: string;
      readonly addresses: readonly string[];
    };

export interface CommandRequest {
  /** Null: no session, and a retry may apply a second time (at least once). */
  readonly session: RequestSession | null;
  /**
   * Who asks, in the words of whoever serves clients: 1 to 128 characters. Null or left out: the cluster itself, or somebody who did not say. Is told in
   * an event, and has no other effect.
   */
  readonly actor?: string | null;
  readonly command: Command;
}
