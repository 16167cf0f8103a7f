/** What happened, as an entry of the log leaves it behind. */
import type { PoolStrategy } from "./pool-strategy.ts";
import type { Strategy } from "./scheduler-settings.ts";
import type { TaskState } from "./task.ts";
import type { VmState } from "./vm-states.ts";
import type { WorkerStatus } from "./worker.ts";

export interface Happening {
  readonly index: number;
  readonly term: number;
  /** Cluster time. */
  readonly atMs: number;
}

export type ClusterEvent = Happening &
  (
    | {
        readonly kind: "vmCreated" | "vmUpdated" | "vmDeleted";
        readonly name: string;
        readonly tenant: string;
        readonly generation: number;
      }
    | { readonly kind: "tokenCreated"; readonly tokenId: string; readonly purpose: "join" | "api" }
    | { readonly kind: "tokenRevoked"; readonly tokenId: string }
    | { readonly kind: "nodeAdmitted"; readonly nodeId: number; readonly tokenId: string }
    | { readonly kind: "nodeAnnounced"; readonly nodeId: number; readonly addresses: readonly string[] }
    | {
        readonly kind: "vmState";
        readonly name: string;
        readonly tenant: string;
        readonly from: VmState;
        readonly state: VmState;
        readonly workerId: number | null;
        readonly epoch: number;
        readonly reason: string;
      }
    | { readonly kind: "workerRegistered"; readonly workerId: number; readonly driver: string | null }
    | {
        readonly kind: "workerStatus";
        readonly workerId: number;
        readonly status: WorkerStatus;
        readonly reason: string;
      }
    | {
        readonly kind: "taskState";
        readonly id: string;
        readonly state: TaskState;
        readonly attempt: number;
        readonly workerId: number | null;
        readonly reason: string;
      }
    | { readonly kind: "quotaSet"; readonly tenant: string; readonly isLimited: boolean }
    | {
        readonly kind: "poolChanged";
        readonly pool: string;
        readonly change: "created" | "deleted" | "enabled" | "disabled";
      }
    | { readonly kind: "schedulerConfigured"; readonly strategy: Strategy }
    /** Somebody who said who he is has asked for something, and been heard: beside what came of it, which other events tell. */
    | {
        readonly kind: "requested";
        readonly by: string;
        readonly command: AuditedKind;
        /** Which way, of a command that goes either; null: it goes one way, or was asked before that was told. */
        readonly change: AskedChange | null;
        /** The name or id of what it is about; null: of the cluster as a whole. */
        readonly target: string | null;
        /** Kind of the refusal; null: it was done. */
        readonly refusal: string | null;
      }
    /** It is on the list no more, and its node is heard no more. */
    | { readonly kind: "workerRemoved"; readonly workerId: number }
    | { readonly kind: "membershipChanged"; readonly voters: readonly number[]; readonly learners: readonly number[] }
    | { readonly kind: "poolStrategySet"; readonly strategy: PoolStrategy }
  );

/** An event before it is known where it takes its place. */
export type EventDetails = ClusterEvent extends infer Event
  ? Event extends ClusterEvent
    ? Omit<Event, keyof Happening>
    : never
  : never;

/** Encoded by position: new ones go to the end. */
export const AUDITED_COMMANDS = [
  "createVm",
  "updateVm",
  "deleteVm",
  "createToken",
  "revokeToken",
  "admitNode",
  "announceNode",
  "registerWorker",
  "workerLost",
  "observe",
  "placeVm",
  "preempt",
  "evictVm",
  "recoverVm",
  "dropNomination",
  "placeTask",
  "setVmDesired",
  "restartVm",
  "migrateVm",
  "setAvailability",
  "confirmWorkerDead",
  "setQuota",
  "createPool",
  "deletePool",
  "setPoolEnabled",
  "submitTask",
  "cancelTask",
  "rebalance",
  "configureScheduler",
  "setPoolStrategy",
  "removeWorker",
] as const;

export type AuditedKind = (typeof AUDITED_COMMANDS)[number];

/** What a command asked for that may ask for one thing or its contrary. Encoded by position: new ones go to the end. */
export const ASKED_CHANGES = [
  "cordon",
  "drain",
  "uncordon",
  "start",
  "stop",
  "enable",
  "disable",
  "limit",
  "unlimit",
] as const;
export type AskedChange = (typeof ASKED_CHANGES)[number];
