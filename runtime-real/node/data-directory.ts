/**
 * Opens the data directory of a member. If it is new, the node makes a cluster (bootstrap) or joins one. If it holds a
 * node, that node is resumed. If its data is damaged, see rebuild.ts.
 */
import { randomUUID } from "node:crypto";
import { mkdirSync } from "node:fs";
import type { Logger } from "pino";
import { Node, type NodeId, type Restored } from "../../core/index.ts";
import { NodeStartError } from "../errors/index.ts";
import type { Identity } from "../identity/index.ts";
import { requestAdmission } from "../join/index.ts";
import { type NodeSettings, Storage, StorageError } from "../storage/index.ts";
import { hasIdentity, identityToJoinWith, joinFailed, loadIdentity, newIdentity } from "./identity-file.ts";
import type { NodeOptions } from "./options.ts";
import { finishRebuild } from "./rebuild-files.ts";
import { type ChosenSettings, chooseSettings, DEFAULT_SETTINGS } from "./settings.ts";

/** An open data directory and what it holds. Whoever opens it closes `storage`. */
export interface DataDirectory {
  readonly storage: Storage;
  readonly identity: Identity;
  readonly restored: Restored;
  readonly settings: NodeSettings;
}

export type DataDirectoryOptions = Pick<
  NodeOptions,
  "dataDir" | "nodeId" | "bind" | "advertise" | "transport" | "apiBind" | "bootstrap" | "join" | "works" | "worker"
>;

/** @throws NodeStartError; then nothing has changed in the directory but what a later try uses again. */
export async function openDataDirectory(options: DataDirectoryOptions, log: Logger): Promise<DataDirectory> {
  try {
    finishRebuild(options.dataDir, log);
  } catch (error) {
    throw unusable(options.dataDir, error);
  }
  const storage = await openStorage(options.dataDir);
  try {
    if (storage.restored !== null && storage.settings !== null)
      return await resume(options, storage, storage.restored, storage.settings, log);
    return await create(options, storage, log);
  } catch (error) {
    await storage.close();
    throw error;
  }
}

/** @throws NodeStartError */
export async function openStorage(dataDir: string): Promise<Storage> {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    return await Storage.open(dataDir);
  } catch (error) {
    if (error instanceof StorageError) throw new NodeStartError(error.message, error.recovery);
    throw unusable(dataDir, error);
  }
}

export function unusable(dataDir: string, error: unknown): NodeStartError {
  return new NodeStartError(
    `cannot use the data directory ${dataDir}: ${error instanceof Error ? error.message : String(error)}`,
    "check the path and its permissions, or choose another with --data-dir",
  );
}

/** Goes on as the node that the directory holds. */
async function resume(
  options: DataDirectoryOptions,
  storage: Storage,
  restored: Restored,
  stored: NodeSettings,
  log: Logger,
): Promise<DataDirectory> {
  const { dataDir, nodeId } = options;
  if (nodeId !== null && nodeId !== stored.nodeId)
    throw new NodeStartError(
      `${dataDir} belongs to node ${stored.nodeId}, not ${nodeId}`,
      "leave --id away, or give another --data-dir: an id is bound to its directory for ever",
    );
  if (options.bootstrap)
    throw new NodeStartError(
      `${dataDir} holds node ${stored.nodeId} of a cluster already`,
      "leave --bootstrap away to go on with it",
    );
  if (options.join !== null) log.warn("this node is a member already: --join is not needed any more and has no effect");
  const identity = loadIdentity(dataDir);
  const settings: NodeSettings = { ...stored, ...(await chooseSettings(options, stored)) };
  if (JSON.stringify(settings) !== JSON.stringify(stored)) await storage.saveSettings(settings);
  return { storage, identity, restored, settings };
}

/** Makes the first node of a new cluster, or joins one. */
async function create(options: DataDirectoryOptions, storage: Storage, log: Logger): Promise<DataDirectory> {
  const { dataDir, nodeId, join } = options;
  if (nodeId === null)
    throw new NodeStartError(
      `${dataDir} holds no node yet, so this one needs a number`,
      "give --id 1 for the first node of a new cluster, or --id N --join ADDRESS --token TOKEN",
    );
  if (join !== null && options.bootstrap)
    throw new NodeStartError("--bootstrap makes a new cluster, --join joins another", "give one of them");
  const hadIdentity = hasIdentity(dataDir);
  if (join === null && !options.bootstrap && (nodeId !== 1 || hadIdentity))
    throw new NodeStartError(
      hadIdentity
        ? `${dataDir} has an identity but no data: this node was part of a cluster, or was about to join one`
        : `node ${nodeId} is plainly not the first of a new cluster`,
      "join with --join ADDRESS --token TOKEN (`blixard token create` on a member makes one), or say --bootstrap to make a new cluster",
    );
  const settings = await chooseSettings(options, DEFAULT_SETTINGS);
  return join === null
    ? await bootstrap({ dataDir, nodeId, settings }, storage, log)
    : await joinAsMember({ dataDir, nodeId, settings, join, replaces: null }, storage, log);
}

interface NewNode {
  readonly dataDir: string;
  readonly nodeId: NodeId;
  readonly settings: ChosenSettings;
}

async function bootstrap(
  { dataDir, nodeId, settings }: NewNode,
  storage: Storage,
  log: Logger,
): Promise<DataDirectory> {
  const identity = hasIdentity(dataDir) ? loadIdentity(dataDir) : await newIdentity(dataDir);
  const clusterId = randomUUID();
  const restored = Node.genesis(clusterId, 0, [{ id: nodeId, peerId: identity.peerId }]);
  const stored = { nodeId, peers: [], ...settings, clusterId, incarnation: 0, replaces: null };
  await storage.initialise(restored, stored);
  log.info({ clusterId }, "made a new cluster");
  return { storage, identity, restored, settings: stored };
}

export interface JoiningNode extends NewNode {
  readonly join: { readonly addresses: readonly string[]; readonly token: string };
  /** The member whose place the new node takes; null: it takes nobody's. */
  readonly replaces: NodeId | null;
}

/** @throws NodeStartError when it is refused */
export async function joinAsMember(
  { dataDir, nodeId, settings, join, replaces }: JoiningNode,
  storage: Storage,
  log: Logger,
): Promise<DataDirectory> {
  const hadIdentity = hasIdentity(dataDir);
  const identity = await identityToJoinWith(dataDir);
  try {
    const { restored, peers } = await requestAdmission({
      identity,
      nodeId,
      transport: settings.transport,
      addresses: join.addresses,
      advertise: settings.advertise,
      token: join.token,
    });
    const { clusterId, incarnation } = restored.snapshot;
    const others = peers.filter(({ id }) => id !== nodeId);
    const stored = { nodeId, ...settings, clusterId, incarnation, replaces, peers: others };
    await storage.initialise(restored, stored);
    log.info({ clusterId }, "admitted to the cluster as a learner");
    return { storage, identity, restored, settings: stored };
  } catch (error) {
    throw joinFailed(dataDir, hadIdentity, error);
  }
}
