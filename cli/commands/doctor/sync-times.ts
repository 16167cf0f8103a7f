import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";

export function syncTimes(folder: string): { readonly p50Ms: number; readonly p99Ms: number } {
  const nest = mkdtempSync(join(folder, ".doctor-"));
  const file = openSync(join(nest, "sync"), "w");
  const timesMs: number[] = [];
  try {
    const block = new Uint8Array(4096);
    for (let n = 0; n < 50; n++) {
      const startMs = performance.now();
      writeSync(file, block);
      fdatasyncSync(file);
      timesMs.push(performance.now() - startMs);
    }
  } finally {
    closeSync(file);
    rmSync(nest, { recursive: true });
  }
  timesMs.sort((a, b) => a - b);
  return { p50Ms: timesMs[25] ?? 0, p99Ms: timesMs[49] ?? 0 };
}
