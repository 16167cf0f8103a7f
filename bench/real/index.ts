/** Three real nodes compared with three of etcd, on the same machine in the same run, and with the disk itself. */
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { type Load, load } from "./load.ts";
import { failOverMs, startBlixard, startEtcd } from "./systems.ts";

const CLIENTS = [1, 64, 256] as const;
const WARM_UP_MS = 2000;
const MEASURE_MS = 8000;
/** Each system is measured this often, in turns, so that a slow phase of the machine affects both. */
const ROUNDS = 2;

export async function real(): Promise<void> {
  console.log("\nreal nodes: three on loopback, 256-byte values, writes to the leader over HTTP");
  const { p50Ms, p99Ms } = fsync();
  console.log(
    `  fdatasync alone     p50 ${p50Ms.toFixed(2)} ms  p99 ${p99Ms.toFixed(2)} ms  ${Math.round(1000 / p50Ms)}/s`,
  );

  const etcd = await startEtcd();
  const blixard = await startBlixard();
  try {
    for (const clients of CLIENTS) {
      const figures: Record<string, Load[]> = { etcd: [], blixard: [] };
      for (let round = 0; round < ROUNDS; round++) {
        for (const system of [etcd, blixard]) {
          figures[system.name]?.push(await load(await system.target(), clients, WARM_UP_MS, MEASURE_MS));
        }
      }
      const theirs = best(figures["etcd"] ?? []);
      const ours = best(figures["blixard"] ?? []);
      show("etcd", theirs);
      show("blixard", ours);
      const throughput = ours.writesPerSecond / theirs.writesPerSecond;
      console.log(
        `    blixard / etcd: throughput ${throughput.toFixed(2)}, p50 ${(ours.p50Ms / theirs.p50Ms).toFixed(2)}`,
      );
    }
    const delays = await blixard.loopDelayP99Ms();
    console.log(`  event loop delay p99 since start, by node: ${delays.map((ms) => `${ms.toFixed(1)} ms`).join(", ")}`);
    for (const system of [etcd, blixard]) {
      console.log(
        `  ${system.name.padEnd(8)} leader killed to first write: ${Math.round(await failOverMs(system))} ms`,
      );
    }
  } finally {
    await Promise.all([etcd.stop(), blixard.stop()]);
  }
}

function show(name: string, { clients, writesPerSecond, p50Ms, p99Ms, failed }: Load): void {
  const rate = `${Math.round(writesPerSecond)}/s`.padStart(8);
  const failures = failed === 0 ? "" : `  ${failed} failed`;
  console.log(
    `  ${name.padEnd(8)} ${`${clients}`.padStart(4)} clients ${rate}  p50 ${p50Ms.toFixed(2)} ms  p99 ${p99Ms.toFixed(2)} ms${failures}`,
  );
}

/** The better of two: noise only ever slows down. */
function best(loads: readonly Load[]): Load {
  const [fastest] = loads.toSorted((a, b) => b.writesPerSecond - a.writesPerSecond);
  if (fastest === undefined) throw new Error("nothing was measured");
  return fastest;
}

function fsync(): { p50Ms: number; p99Ms: number } {
  const folder = mkdtempSync(join(tmpdir(), "blixard-bench-"));
  const file = openSync(join(folder, "log"), "w");
  const timesMs: number[] = [];
  try {
    const record = new Uint8Array(256);
    for (let n = 0; n < 2000; n++) {
      const startMs = performance.now();
      writeSync(file, record);
      fdatasyncSync(file);
      timesMs.push(performance.now() - startMs);
    }
  } finally {
    closeSync(file);
    rmSync(folder, { recursive: true });
  }
  timesMs.sort((a, b) => a - b);
  return { p50Ms: timesMs[1000] ?? Number.NaN, p99Ms: timesMs[1980] ?? Number.NaN };
}
