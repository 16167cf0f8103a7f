/**
 * Opens the data directory of a worker that is no member. If it is new, the worker joins a cluster. If it holds a
 * worker, that worker is resumed.
 */
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Logger } from "pino";
import { NodeStartError } from "../errors/index.ts";
import type { Identity } from "../identity/index.ts";
import { requestWorkerAdmission } from "../join/index.ts";
import { DATABASE_FILE } from "../storage/index.ts";
import { probeFacts } from "../worker/index.ts";
import { unusable } from "./data-directory.ts";
import { hasIdentity, identityToJoinWith, joinFailed, loadIdentity } from "./identity-file.ts";
import type { NodeOptions } from "./options.ts";
import { chooseSettings, DEFAULT_SETTINGS } from "./settings.ts";
import { type WorkerSettings, WorkerStore, WorkerStoreError } from "./worker-store.ts";

/** Who the worker is and where the servers are. The store stays open; the caller closes it. */
export interface WorkerDirectory {
  readonly settings: WorkerSettings;
  readonly identity: Identity;
}

/** Takes the directory. @throws NodeStartError */
export function openWorkerStore(dataDir: string): WorkerStore {
  if (existsSync(join(dataDir, DATABASE_FILE)))
    throw new NodeStartError(
      `${dataDir} holds a member of a cluster, which works too unless it was told not to`,
      "leave --worker-only away, or give an empty --data-dir",
    );
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw unusable(dataDir, error);
  }
  try {
    return WorkerStore.open(dataDir);
  } catch (error) {
    if (error instanceof WorkerStoreError) throw storeFailed(error);
    throw error;
  }
}

export function storeFailed(error: WorkerStoreError): NodeStartError {
  return new NodeStartError(
    error.message,
    "stop the other process, or repair the directory; a worker that has lost it joins again with an empty one, under a new id",
  );
}

/** Goes on as the worker that the directory holds. @throws NodeStartError */
export async function resumeWorker(
  options: NodeOptions,
  store: WorkerStore,
  stored: WorkerSettings,
  log: Logger,
): Promise<WorkerDirectory> {
  const { dataDir, nodeId } = options;
  if (nodeId !== null && nodeId !== stored.nodeId)
    throw new NodeStartError(
      `${dataDir} belongs to worker ${stored.nodeId}, not ${nodeId}`,
      "leave --id away, or give another --data-dir: an id is bound to its directory for ever",
    );
  refuseOptionsOfMembers(options);
  if (options.join !== null)
    log.warn("this worker has joined already: --join is not needed any more and has no effect");
  const identity = loadIdentity(dataDir);
  const { bind, advertise, transport, worker } = await chooseSettings(options, { ...DEFAULT_SETTINGS, ...stored });
  const settings: WorkerSettings = { ...stored, bind, advertise, transport, worker };
  if (JSON.stringify(settings) !== JSON.stringify(stored)) store.save(settings);
  return { settings, identity };
}

/** Joins a cluster. If that fails, the store is removed again. @throws NodeStartError */
export async function joinAsWorker(options: NodeOptions, store: WorkerStore, log: Logger): Promise<WorkerDirectory> {
  const { dataDir, nodeId, join: joining, workerOnly } = options;
  // A join that was interrupted leaves such a directory. Without the flag, its owner asks for a member.
  if (!workerOnly)
    throw new NodeStartError(
      `${dataDir} was begun as that of a node that only works`,
      "give --worker-only as well, or an empty --data-dir",
    );
  const hadIdentity = hasIdentity(dataDir);
  try {
    refuseOptionsOfMembers(options);
    if (nodeId === null || joining === null)
      throw new NodeStartError(
        `${dataDir} holds no worker yet, so this one has to join`,
        "give --worker-only --id N --join ADDRESS --token TOKEN; `blixard token create` on a member makes a token",
      );
    const { bind, advertise, transport, worker } = await chooseSettings(options, DEFAULT_SETTINGS);
    // Before anybody is asked: options that are wrong must not cost the token.
    await probeFacts(dataDir, worker, [], advertise);
    const identity = await identityToJoinWith(dataDir);
    const { clusterId, incarnation, servers } = await requestWorkerAdmission({
      identity,
      nodeId,
      transport,
      addresses: joining.addresses,
      advertise,
      token: joining.token,
    });
    const chosen = { bind, advertise, transport, worker };
    const settings: WorkerSettings = { version: 1, clusterId, incarnation, nodeId, ...chosen, servers };
    store.save(settings);
    log.info({ clusterId }, "admitted to the cluster as a worker");
    return { settings, identity };
  } catch (error) {
    store.remove();
    throw joinFailed(dataDir, hadIdentity, error);
  }
}

/** Options of nodes that have a log and an API. */
function refuseOptionsOfMembers({ bootstrap, replaceFromPeers, apiBind, record, works, raft }: NodeOptions): void {
  const wrong = [
    bootstrap ? "--bootstrap" : null,
    replaceFromPeers ? "--replace-from-peers" : null,
    apiBind === null ? null : "--api-bind",
    record === null ? null : "--record",
    works === false ? "--no-worker" : null,
    Object.keys(raft).length === 0 ? null : "--election-timeout and --heartbeat",
  ].find((flag) => flag !== null);
  if (wrong !== undefined)
    throw new NodeStartError(`a node that only works has no use for ${wrong}`, "leave it away, or use it on a member");
}
