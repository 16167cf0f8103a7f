/**
 * A node of the cluster, either a member or a worker that is no member. Light: what a running node needs (libp2p,
 * SQLite, the HTTP server) is loaded when one starts.
 */
import type { joinCluster as JoinCluster, startNode as StartNode } from "./start-node.ts";

export { DEFAULT_BIND, type NodeOptions } from "./options.ts";
export type { NodeEnd, RunningNode } from "./running-node.ts";
export { isWorkerDirectory } from "./worker-directory.ts";

export const startNode: typeof StartNode = async (options) =>
  await (await import("./start-node.ts")).startNode(options);
export const joinCluster: typeof JoinCluster = async (options) =>
  await (await import("./start-node.ts")).joinCluster(options);
