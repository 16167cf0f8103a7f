/** Options and limits for swarms: from so low that they are met all the time to those of a real cluster. */
import type { Variety } from "./variety.ts";

/** What scenarios with these must set `maxRequestBytes` to: a request must fit in what may be uncommitted. */
export const LOWERED_REQUEST_BYTES = 16 * 1024;

export const LOWERED_OPTIONS: Variety["raft"] = [
  ["maxInflightMessages", [1, 64]],
  ["maxInflightBytes", [256, 4 * 1024 * 1024]],
  ["maxAppendBytes", [1, 256 * 1024]],
  ["maxUncommittedBytes", [LOWERED_REQUEST_BYTES, 16 * 1024 * 1024]],
  ["maxRequestBytes", [2048, LOWERED_REQUEST_BYTES]],
  ["maxPendingRequests", [4, 4096]],
  ["batchEntries", [1, 100]],
  ["batchBytes", [1, 1024 * 1024]],
  ["batchMs", [0, 50]],
  ["requestTimeoutMs", [1000, 10_000]],
  ["snapshotAfterEntries", [1, 500]],
  ["snapshotEveryEntries", [1, 250]],
  ["snapshotTrailingEntries", [0, 100]],
  ["snapshotChunkBytes", [1024, 64 * 1024]],
];

export const LOWERED_LIMITS: Variety["limits"] = [
  ["sessions", [2, 40]],
  ["vms", [3, 40]],
  ["tokens", [1, 20]],
  ["nodes", [4, 20]],
  ["events", [64, 1024]],
  ["workers", [1, 8]],
  ["tenants", [1, 8]],
  ["tasks", [1, 20]],
  ["ipPools", [1, 4]],
];
