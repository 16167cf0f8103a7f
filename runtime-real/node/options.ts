import type { RaftOptions } from "../../core/index.ts";
import type { TransportKind } from "../network/index.ts";
import type { WorkerOptions } from "../worker/index.ts";
import type { LogOptions } from "./logging.ts";

/** How to run a node. Null means: as the data directory remembers it, or the default for a new one. */
export interface NodeOptions {
  /** The version of blixard, as status shows it. */
  readonly version: string;
  readonly dataDir: string;
  readonly nodeId: number | null;
  /** Where it listens for its peers: host:port; UDP for quic. Port 0: a free port is chosen once and kept. */
  readonly bind: string | null;
  /** Where others reach it, host:port each; default: where it listens. */
  readonly advertise: readonly string[] | null;
  /** tcp: for networks that let no UDP through. Every member must use the same. */
  readonly transport: TransportKind | null;
  /** Make a new cluster, also if the id is not 1. */
  readonly bootstrap: boolean;
  readonly join: { readonly addresses: readonly string[]; readonly token: string } | null;
  /** The stored data is damaged: set it aside, join again as a learner under a new id, and remove the old id. */
  readonly replaceFromPeers: boolean;
  /** host:port of the API over TCP, where callers need a bearer token. */
  readonly apiBind: string | null;
  /** Whether this host runs VMs and tasks; null: as remembered, and a new node does. */
  readonly works: boolean | null;
  /**
   * A worker that is no member: no log, no vote; it reports to the servers. A data directory never changes its kind.
   */
  readonly workerOnly: boolean;
  /** What the cluster is told about this host. What is left out is as remembered. */
  readonly worker: Partial<WorkerOptions>;
  /**
   * Record every input of the core in this file; null: keep the last ones in memory and write them when the core
   * halts.
   */
  readonly record: string | null;
  readonly raft: Partial<RaftOptions>;
  readonly log: LogOptions;
}

export const DEFAULT_BIND = "127.0.0.1:7001";
