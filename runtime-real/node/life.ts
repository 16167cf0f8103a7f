/** How a node's life in a data directory begins: anew, by joining, by going on, or by being rebuilt from its peers. */
import { randomUUID } from "node:crypto";
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Logger } from "pino";
import { Node, type Restored } from "../../core/index.ts";
import { NodeStartError } from "../errors/index.ts";
import { Identity, IdentityError } from "../identity/index.ts";
import { JoinRefused, requestAdmission, requestReplacement } from "../join/index.ts";
import { reachableAddresses, withPort } from "../network/index.ts";
import { type NodeSettings, Storage, StorageError } from "../storage/index.ts";
import { InvalidToken } from "../tokens/index.ts";
import { DEFAULT_WORKER } from "../worker/index.ts";
import { DEFAULT_BIND, type NodeOptions } from "./options.ts";

export interface Life {
  readonly storage: Storage;
  readonly identity: Identity;
  readonly restored: Restored;
  readonly settings: NodeSettings;
}

type Beginning = Pick<
  NodeOptions,
  "dataDir" | "nodeId" | "bind" | "advertise" | "transport" | "apiBind" | "bootstrap" | "join" | "works" | "worker"
>;

/** What the command line may say, and the data directory remembers. */
export type Chosen = Pick<NodeSettings, "bind" | "advertise" | "transport" | "apiBind" | "works" | "worker">;

export function identityPath(dataDir: string): string {
  return join(dataDir, "identity.key");
}

/** @throws NodeStartError; then nothing has changed in the data directory but what a later try uses again. */
export async function openLife(options: Beginning, log: Logger): Promise<Life> {
  try {
    finishRebuild(options.dataDir, log);
  } catch (error) {
    throw unusable(options.dataDir, error);
  }
  const storage = await openStorage(options.dataDir);
  try {
    if (storage.restored !== null && storage.settings !== null)
      return await goOn(options, storage, storage.restored, storage.settings, log);
    return await begin(options, storage, log);
  } catch (error) {
    await storage.close();
    throw error;
  }
}

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

async function goOn(
  options: Beginning,
  storage: Storage,
  restored: Restored,
  stored: NodeSettings,
  log: Logger,
): Promise<Life> {
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
  const settings: NodeSettings = { ...stored, ...(await chosen(options, stored)) };
  if (JSON.stringify(settings) !== JSON.stringify(stored)) await storage.saveSettings(settings);
  return { storage, identity, restored, settings };
}

/** `replaces`: the member whose place the new node takes. */
async function begin(options: Beginning, storage: Storage, log: Logger, replaces: number | null = null): Promise<Life> {
  const { dataDir, nodeId, join: joining } = options;
  if (nodeId === null)
    throw new NodeStartError(
      `${dataDir} holds no node yet, so this one needs a number`,
      "give --id 1 for the first node of a new cluster, or --id N --join ADDRESS --token TOKEN",
    );
  if (joining !== null && options.bootstrap)
    throw new NodeStartError("--bootstrap makes a new cluster, --join joins another", "give one of them");
  const path = identityPath(dataDir);
  const hadIdentity = existsSync(path);
  if (joining === null && !options.bootstrap && (nodeId !== 1 || hadIdentity))
    throw new NodeStartError(
      hadIdentity
        ? `${dataDir} has an identity but no data: this node was part of a cluster, or was about to join one`
        : `node ${nodeId} is plainly not the first of a new cluster`,
      "join with --join ADDRESS --token TOKEN (`blixard token create` on a member makes one), or say --bootstrap to make a new cluster",
    );
  const settings = {
    nodeId,
    peers: [],
    ...(await chosen(options, DEFAULT_SETTINGS)),
  };

  const identity = hadIdentity ? loadIdentity(dataDir) : await Identity.generate();
  if (joining === null) {
    if (!hadIdentity) identity.save(path);
    const clusterId = randomUUID();
    const restored = Node.genesis(clusterId, 0, [{ id: nodeId, peerId: identity.peerId }]);
    const made = { ...settings, clusterId, incarnation: 0, replaces: null };
    await storage.initialise(restored, made);
    log.info({ clusterId }, "made a new cluster");
    return { storage, identity, restored, settings: made };
  }

  // Kept before it is shown to anybody: if the answer is lost, or this process dies, the same request is made again by the same identity.
  if (!hadIdentity) identity.save(path);
  try {
    const { restored, peers } = await requestAdmission({
      identity,
      nodeId,
      transport: settings.transport,
      addresses: joining.addresses,
      advertise: settings.advertise,
      token: joining.token,
    });
    const { clusterId, incarnation } = restored.snapshot;
    const joined = { ...settings, clusterId, incarnation, replaces, peers: peers.filter(({ id }) => id !== nodeId) };
    await storage.initialise(restored, joined);
    log.info({ clusterId }, "admitted to the cluster as a learner");
    return { storage, identity, restored, settings: joined };
  } catch (error) {
    if (error instanceof InvalidToken || error instanceof JoinRefused) {
      // A refusal leaves nothing behind. With `notNow` the cluster may know this identity already.
      const isFinal = error instanceof InvalidToken || error.kind !== "notNow";
      if (isFinal && !hadIdentity) rmSync(path, { force: true });
      throw new NodeStartError(`cannot join: ${error.message}`, hintFor(error));
    }
    throw error;
  }
}

export function hintFor(error: InvalidToken | JoinRefused): string {
  if (error instanceof InvalidToken) return "copy the token that `blixard token create` printed";
  if (error.kind === "notNow") return "nothing is lost: run the same command again";
  if (error.kind === "idTaken" || error.kind === "identityTaken")
    return "choose another --id, with an empty --data-dir";
  return "mend it and run the same command again; nothing was changed here";
}

export const DEFAULT_SETTINGS: Chosen = {
  bind: DEFAULT_BIND,
  advertise: [],
  transport: "quic",
  apiBind: null,
  works: true,
  worker: DEFAULT_WORKER,
};

/** What the command line says, over what was remembered. */
export async function chosen(
  { bind, advertise, transport, apiBind, works, worker }: Beginning,
  remembered: Chosen,
): Promise<Chosen> {
  const kind = transport ?? remembered.transport;
  const listen = await withPort(bind ?? remembered.bind, kind);
  const reach =
    advertise ?? (bind === null && remembered.advertise.length > 0 ? remembered.advertise : reachableAddresses(listen));
  return {
    bind: listen,
    advertise: reach,
    transport: kind,
    apiBind: apiBind ?? remembered.apiBind,
    works: works ?? remembered.works,
    worker: { ...remembered.worker, ...worker },
  };
}

export function loadIdentity(dataDir: string): Identity {
  try {
    return Identity.load(identityPath(dataDir));
  } catch (error) {
    if (error instanceof IdentityError)
      throw new NodeStartError(
        error.message,
        "without its key a node cannot prove who it is: restore the file, or join again under a new id",
      );
    throw error;
  }
}

/**
 * A node whose data is damaged begins a new life, under a new id and identity, in the same directory: what it had promised under the old one is not known
 * any more, so the old one never speaks again. Nothing is deleted, and nothing is changed before the cluster has admitted the new node.
 *
 * @throws NodeStartError, also when the data is sound.
 */
export async function rebuildLife(options: Beginning, log: Logger): Promise<Life> {
  const { dataDir, join: named } = options;
  if ([REBUILT, MOVING].some((folder) => existsSync(join(dataDir, folder)))) {
    log.warn("a rebuild that was begun earlier is finished");
    return await openLife({ ...options, nodeId: null, join: null }, log);
  }
  const damage = await damageIn(dataDir);
  if (damage === null)
    throw new NodeStartError(
      `the data in ${dataDir} is sound: there is nothing to rebuild`,
      "start without --replace-from-peers",
    );
  log.warn({ damage }, "the stored data is damaged: rebuilding from the peers");
  const identity = loadIdentity(dataDir);
  const remembered = await Storage.readSettings(dataDir);
  const addresses = named?.addresses ?? remembered?.peers.flatMap((peer) => peer.addresses) ?? [];
  if (addresses.length === 0)
    throw new NodeStartError(
      "the addresses of the other members cannot be read either",
      "say where one of them listens: --join HOST:PORT",
    );
  const transport = options.transport ?? remembered?.transport ?? "quic";

  const rebuilding = join(dataDir, REBUILDING);
  rmSync(rebuilding, { recursive: true, force: true });
  try {
    const replacement = await requestReplacement({ identity, transport, addresses });
    const storage = await openStorage(rebuilding);
    try {
      await begin(
        {
          dataDir: rebuilding,
          nodeId: replacement.nodeId,
          bind: options.bind ?? remembered?.bind ?? null,
          advertise: options.advertise ?? remembered?.advertise ?? null,
          transport,
          apiBind: options.apiBind ?? remembered?.apiBind ?? null,
          works: options.works ?? remembered?.works ?? null,
          worker: { ...remembered?.worker, ...options.worker },
          bootstrap: false,
          join: { addresses, token: replacement.token },
        },
        storage,
        log,
        replacement.replaces,
      );
    } finally {
      await storage.close();
    }
  } catch (error) {
    if (error instanceof JoinRefused) throw new NodeStartError(`cannot rebuild: ${error.message}`, hintFor(error));
    throw error;
  }
  renameSync(rebuilding, join(dataDir, REBUILT));
  syncFolder(dataDir);
  return await openLife({ ...options, nodeId: null, join: null }, log);
}

/** The new life while the cluster is asked to admit it: worth nothing before that. */
const REBUILDING = "rebuilding";
/** The new life, whole, while the old one is moved out of its way. */
const REBUILT = "rebuilt";
/** The new life while it moves to where the old one was, which is out of the way. */
const MOVING = "rebuilt-moving";

/** Takes the last steps of a rebuild, all of them or those that a process which died in between has left. Without one it does nothing. */
export function finishRebuild(dataDir: string, log: Logger): void {
  const rebuilt = join(dataDir, REBUILT);
  const moving = join(dataDir, MOVING);
  if (existsSync(rebuilt)) {
    const folder = setAside(dataDir);
    if (folder !== null) log.warn({ folder }, "the damaged data was set aside");
    renameSync(rebuilt, moving);
    syncFolder(dataDir);
  }
  if (!existsSync(moving)) return;
  for (const file of FILES) if (existsSync(join(moving, file))) renameSync(join(moving, file), join(dataDir, file));
  syncFolder(dataDir);
  rmSync(moving, { recursive: true });
}

function syncFolder(path: string): void {
  const folder = openSync(path, "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

async function damageIn(dataDir: string): Promise<string | null> {
  try {
    await (await Storage.open(dataDir)).close();
    return null;
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    if (error.kind !== "damaged") throw new NodeStartError(error.message, error.recovery);
    return error.message;
  }
}

/** Names of files that a life leaves in its directory: what is set aside when it is rebuilt. */
const FILES = ["identity.key", "blixard.db", "blixard.db-wal", "blixard.db-shm", "blixard.db.horizon"];

/** Moves a damaged life out of the way, for later study. Nothing is deleted. Returns where it is; null: there was none any more. */
function setAside(dataDir: string): string | null {
  const files = FILES.filter((file) => existsSync(join(dataDir, file)));
  if (files.length === 0) return null;
  const folder = join(dataDir, `set-aside-${new Date().toISOString().replaceAll(":", "-")}`);
  mkdirSync(folder, { mode: 0o700 });
  for (const file of files) renameSync(join(dataDir, file), join(folder, file));
  syncFolder(dataDir);
  return folder;
}
