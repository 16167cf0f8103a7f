/** How the data directory of a node that only works is told, without opening anything. */
import { existsSync } from "node:fs";
import { join } from "node:path";

export const WORKER_FILE = "worker.db";

/** Also where a join has begun and has not been answered yet. */
export function isWorkerDirectory(dataDir: string): boolean {
  return existsSync(join(dataDir, WORKER_FILE));
}
