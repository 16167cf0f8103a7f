/**
 * What a node remembers beside what consensus needs: as a record with a checksum, and how it is found in a damaged
 * file.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { DEFAULT_WORKER, type WorkerOptions } from "../worker/index.ts";
import { DATABASE_FILE } from "./files.ts";
import { damaged } from "./storage-error.ts";

export interface NodeSettings {
  readonly clusterId: string;
  readonly incarnation: number;
  readonly nodeId: number;
  readonly bind: string;
  readonly advertise: readonly string[];
  readonly transport: "quic" | "tcp";
  /** Where the API is served over TCP; null: nowhere. */
  readonly apiBind: string | null;
  /** Whether this host runs what the cluster wants. */
  readonly works: boolean;
  readonly worker: WorkerOptions;
  /**
   * The member whose place this node has taken, and which is to leave once this one votes; null: none, or it has
   * left.
   */
  readonly replaces: number | null;
  /** Where the members were last known to listen, so that a restarted node finds them. */
  readonly peers: readonly {
    readonly id: number;
    readonly peerId: string;
    readonly addresses: readonly string[];
  }[];
}

/** With the addresses of as many members as a cluster may have. */
const SETTINGS_BYTES_MAX = 4 * 1024 * 1024;

/** The cluster id comes first and the peers last: by these two the record is found in a damaged file. */
export function encodeSettings({ clusterId, peers, ...others }: NodeSettings): Uint8Array {
  const json = Buffer.from(JSON.stringify({ clusterId, ...others, peers }));
  return Buffer.concat([Buffer.from(`${crc32(json)} `), json]);
}

/** @throws StorageError */
export function settingsFrom(path: string, bytes: Uint8Array): NodeSettings {
  const settings = parseSettings(bytes);
  if (settings === null) throw damaged(path, "the checksum of the settings is wrong");
  return settings;
}

/** Fields that older versions did not write. */
type Later = "replaces" | "works" | "worker";

function parseSettings(bytes: Uint8Array): NodeSettings | null {
  const text = Buffer.from(bytes);
  const space = text.indexOf(" ");
  const json = text.subarray(space + 1);
  if (space < 1 || String(crc32(json)) !== text.subarray(0, space).toString("latin1")) return null;
  // This code wrote what has its checksum, perhaps a version of it that did not know the later fields.
  const settings: Omit<NodeSettings, Later> & Partial<Pick<NodeSettings, Later>> = JSON.parse(json.toString("utf8"));
  return { replaces: null, works: true, ...settings, worker: { ...DEFAULT_WORKER, ...settings.worker } };
}

/**
 * What can be read of the settings in a damaged directory; null: nothing. It need not be right, but it is good enough
 * to find peers.
 */
export async function readSettings(dataDir: string): Promise<NodeSettings | null> {
  try {
    // Whatever page it lies on: it is JSON with its checksum in front.
    const text = readFileSync(join(dataDir, DATABASE_FILE), "latin1") + readWal(dataDir);
    let found: NodeSettings | null = null;
    for (const { index } of text.matchAll(/\d \{"clusterId":/g)) found = settingsNear(text, index) ?? found;
    return found;
  } catch {
    return null;
  }
}

/** The settings whose checksum ends at `at`. Where they end themselves is tried. */
function settingsNear(text: string, at: number): NodeSettings | null {
  const digits = /\d{1,10}$/.exec(text.slice(Math.max(0, at - 9), at + 1))?.[0] ?? "";
  for (let end = text.indexOf("]}", at); end > 0 && end < at + SETTINGS_BYTES_MAX; end = text.indexOf("]}", end + 1)) {
    for (let from = 0; from < digits.length; from++) {
      const found = parseSettings(Buffer.from(digits.slice(from) + text.slice(at + 1, end + 2), "latin1"));
      if (found !== null) return found;
    }
  }
  return null;
}

function readWal(dataDir: string): string {
  try {
    return readFileSync(join(dataDir, `${DATABASE_FILE}-wal`), "latin1");
  } catch {
    return "";
  }
}
