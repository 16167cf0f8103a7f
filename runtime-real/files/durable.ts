import { closeSync, fsyncSync, openSync } from "node:fs";

/**
 * What was written to a file, or which names are in a folder, survives a power failure when this returns. A new file
 * needs both: its own, and that of the folder which names it.
 */
export function makeDurable(path: string): void {
  const file = openSync(path, "r");
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
