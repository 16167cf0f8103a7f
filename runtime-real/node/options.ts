import type { RaftOptions } from "../../core/index.ts";
import type { TransportKind } from "../network/index.ts";
import type { WorkerOptions } from "../worker/index.ts";
import type { LogOptions } from "./logging.ts";

/** How to run a node. What is null is as the data directory remembers it, or the default for a new one. */
export interface NodeOptions {
  /** Of blixard, as status shows it. */
  readonly version: string;
  readonly dataDir: string;
  readonly nodeId: number | null;
  /** Where it listens for its peers: host:port; UDP for quic. Port 0: any free one, the same ever after. Default 127.0.0.1:7001. */
  readonly bind: string | null;
  /** Where others reach it, host:port each; default: where it listens. */
  readonly advertise: readonly string[] | null;
  /** tcp: for networks that let no UDP through. Every member must use the same. */
  readonly transport: TransportKind | null;
  /** Make a new cluster, whatever the id. */
  readonly bootstrap: boolean;
  readonly join: { readonly addresses: readonly string[]; readonly token: string } | null;
  /** The stored data is damaged: set it aside, join again under a new id as a learner, and have the old id removed. */
  readonly replaceFromPeers: boolean;
  /** host:port of the API over TCP, which asks for a bearer token. */
  readonly apiBind: string | null;
  /** Whether this host runs what the cluster wants; null: as remembered, and a new node does. */
  readonly works: boolean | null;
  /** No member: it keeps no log and has no vote, and reports to the servers. A directory is one or the other for ever. */
  readonly workerOnly: boolean;
  /** What the cluster shall know of this host; what is left out is as remembered. */
  readonly worker: Partial<WorkerOptions>;
  /** Keep every input of the core in this file; null: the last ones in memory, for a dump when an assertion fails. */
  readonly record: string | null;
  readonly raft: Partial<RaftOptions>;
  readonly log: LogOptions;
}

export const DEFAULT_BIND = "127.0.0.1:7001";
