/** Starts the node that a data directory holds, or makes a directory a member's. */
import { checkRaftOptions, DEFAULT_RAFT_OPTIONS, type NodeId, type PeerId } from "../../core/index.ts";
import { ApiListenError } from "../api/index.ts";
import { NodeStartError } from "../errors/index.ts";
import { NetworkError } from "../network/index.ts";
import { openDataDirectory } from "./data-directory.ts";
import { createLogger } from "./logging.ts";
import { MemberNode } from "./member-node.ts";
import type { NodeOptions } from "./options.ts";
import { rebuildFromPeers } from "./rebuild.ts";
import type { RunningNode } from "./running-node.ts";
import { isWorkerDirectory } from "./worker-directory.ts";
import { startWorkerNode } from "./worker-node.ts";

/** @throws NodeStartError; RangeError when a Raft option makes no sense. */
export async function startNode(options: NodeOptions): Promise<RunningNode> {
  if (options.workerOnly || isWorkerDirectory(options.dataDir)) return await startWorkerNode(options);
  checkRaftOptions({ ...DEFAULT_RAFT_OPTIONS, ...options.raft });
  const log = createLogger(options.log, options.nodeId);
  const directory = options.replaceFromPeers
    ? await rebuildFromPeers(options, log)
    : await openDataDirectory(options, log);
  let node: MemberNode | null = null;
  try {
    node = new MemberNode(options, directory, createLogger(options.log, directory.settings.nodeId));
    await node.start();
    return node;
  } catch (error) {
    if (node === null) await directory.storage.close();
    else await node.stop(0);
    if (error instanceof NetworkError || error instanceof ApiListenError)
      throw new NodeStartError(error.message, error.hint);
    throw error;
  }
}

/** Makes the data directory a member's, and runs nothing. @throws NodeStartError */
export async function joinCluster(
  options: Pick<
    NodeOptions,
    "dataDir" | "nodeId" | "bind" | "advertise" | "transport" | "join" | "works" | "worker" | "log"
  >,
): Promise<{ readonly nodeId: NodeId; readonly clusterId: string; readonly peerId: PeerId }> {
  if (isWorkerDirectory(options.dataDir))
    throw new NodeStartError(`${options.dataDir} is that of a node that only works`, "give an empty --data-dir");
  const { storage, settings, restored, identity } = await openDataDirectory(
    { ...options, apiBind: null, bootstrap: false },
    createLogger(options.log, options.nodeId),
  );
  await storage.close();
  return { nodeId: settings.nodeId, clusterId: restored.snapshot.clusterId, peerId: identity.peerId };
}
