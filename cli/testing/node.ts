import { type RunningNode, startNode } from "../../runtime-real/index.ts";

/** A cluster of one node in this process, on a free port. It elects itself within a fraction of a second. */
export async function nodeIn(
  dataDir: string,
  { apiBind = null, record = null }: { readonly apiBind?: string | null; readonly record?: string | null } = {},
): Promise<RunningNode> {
  return await startNode({
    version: "test",
    dataDir,
    nodeId: 1,
    bind: "127.0.0.1:0",
    advertise: null,
    transport: null,
    bootstrap: false,
    join: null,
    replaceFromPeers: false,
    works: null,
    workerOnly: false,
    worker: {},
    apiBind,
    record,
    raft: { electionTimeoutMs: 100, heartbeatMs: 20 },
    log: { level: "silent", format: "json" },
  });
}
