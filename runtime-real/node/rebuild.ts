/**
 * A member whose data is damaged takes part again as a new node, with a new id and a new identity, in the same
 * directory. What the old node had promised is not known any more, so the old node never speaks again. Nothing is
 * deleted, and nothing changes before the cluster has admitted the new node.
 */
import type { Logger } from "pino";
import { NodeStartError } from "../errors/index.ts";
import { JoinRefused, requestReplacement } from "../join/index.ts";
import { type NodeSettings, readSettings, Storage, StorageError } from "../storage/index.ts";
import {
  type DataDirectory,
  type DataDirectoryOptions,
  joinAsMember,
  openDataDirectory,
  openStorage,
} from "./data-directory.ts";
import { joinHint, loadIdentity } from "./identity-file.ts";
import { commitRebuild, emptyRebuildFolder, isRebuildUnfinished } from "./rebuild-files.ts";
import { chooseSettings, DEFAULT_SETTINGS } from "./settings.ts";

/** @throws NodeStartError, also when the data is sound. */
export async function rebuildFromPeers(options: DataDirectoryOptions, log: Logger): Promise<DataDirectory> {
  const { dataDir } = options;
  if (isRebuildUnfinished(dataDir)) {
    log.warn("a rebuild that was begun earlier is finished");
    return await openDataDirectory({ ...options, nodeId: null, join: null }, log);
  }
  const damage = await damageIn(dataDir);
  if (damage === null)
    throw new NodeStartError(
      `the data in ${dataDir} is sound: there is nothing to rebuild`,
      "start without --replace-from-peers",
    );
  log.warn({ damage }, "the stored data is damaged: rebuilding from the peers");
  const identity = loadIdentity(dataDir);
  const remembered = await readSettings(dataDir);
  const addresses = options.join?.addresses ?? remembered?.peers.flatMap((peer) => peer.addresses) ?? [];
  if (addresses.length === 0)
    throw new NodeStartError(
      "the addresses of the other members cannot be read either",
      "say where one of them listens: --join HOST:PORT",
    );
  const transport = options.transport ?? remembered?.transport ?? "quic";

  const folder = emptyRebuildFolder(dataDir);
  try {
    const { nodeId, replaces, token } = await requestReplacement({ identity, transport, addresses });
    const storage = await openStorage(folder);
    try {
      const settings = await chooseSettings({ ...wishes(options, remembered), transport }, DEFAULT_SETTINGS);
      await joinAsMember({ dataDir: folder, nodeId, settings, join: { addresses, token }, replaces }, storage, log);
    } finally {
      await storage.close();
    }
  } catch (error) {
    if (error instanceof JoinRefused) throw new NodeStartError(`cannot rebuild: ${error.message}`, joinHint(error));
    throw error;
  }
  commitRebuild(dataDir);
  return await openDataDirectory({ ...options, nodeId: null, join: null }, log);
}

/** What the command line says, and after that what could be read of the old node's settings. */
function wishes(options: DataDirectoryOptions, remembered: NodeSettings | null) {
  return {
    bind: options.bind ?? remembered?.bind ?? null,
    advertise: options.advertise ?? remembered?.advertise ?? null,
    apiBind: options.apiBind ?? remembered?.apiBind ?? null,
    works: options.works ?? remembered?.works ?? null,
    worker: { ...remembered?.worker, ...options.worker },
  };
}

/** What is wrong with the data; null: nothing. @throws NodeStartError when that cannot be found out. */
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
