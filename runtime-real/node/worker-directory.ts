/** How the data directory of a worker that is no member is recognised, without opening anything. */
import { existsSync } from "node:fs";
import { join } from "node:path";

export const WORKER_FILE = "worker.db";

/** True also while a join has not been answered yet. */
export function isWorkerDirectory(dataDir: string): boolean {
  return existsSync(join(dataDir, WORKER_FILE));
}
