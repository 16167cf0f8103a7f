/**
 * The first requests of a fleet's operator: announce the workers, configure the scheduler, set quotas, create pools.
 */
import { type Command, DEFAULT_QUOTA, DEFAULT_SCHEDULER } from "../../core/index.ts";
import type { FleetShape } from "./shape.ts";
import type { SimWorker } from "./sim-worker.ts";

export function setUpCommands(shape: FleetShape, workers: readonly SimWorker[]): Command[] {
  const commands: Command[] = workers.map(({ id, peerId }) => ({
    kind: "announceNode",
    nodeId: id,
    peerId,
    addresses: [`worker-${id}:7001`],
  }));
  const overcommit = shape.overcommit ?? DEFAULT_SCHEDULER.overcommit;
  const settings = { ...DEFAULT_SCHEDULER, overcommit, ...shape.scheduler };
  commands.push({ kind: "configureScheduler", settings, expectedGeneration: null });
  if (shape.quota !== null) {
    for (let tenant = 1; tenant <= shape.tenants; tenant += 1) {
      const fast = {
        createsPerMinute: 100_000,
        deletesPerMinute: 100_000,
        requestsPerSecond: 100_000,
        requestsBurst: 100_000,
      };
      const quota = { ...DEFAULT_QUOTA, ...fast, ...shape.quota };
      commands.push({ kind: "setQuota", tenant: `tenant-${tenant}`, quota });
    }
  }
  const { pools, poolSize } = shape;
  for (let pool = 1; poolSize > 0 && pool <= pools; pool += 1)
    commands.push(createPool(pool, Math.floor(poolSize / pools)));
  return commands;
}

/** The pool of that number. The gateway and the two ends of the subnet are not given out. */
export function createPool(number: number, size: number): Command {
  const net = `10.${number - 1}`;
  return {
    kind: "createPool",
    spec: {
      name: `pool-${number}`,
      subnet: `${net}.0.0/16`,
      gateway: `${net}.0.1`,
      dns: [],
      rangeFirst: `${net}.0.2`,
      rangeLast: `${net}.${(size + 1) >> 8}.${(size + 1) & 255}`,
      vlan: null,
      reserved: [],
      datacenter: null,
      zone: null,
      // Tags overlap: all pools share one, the first has another, the rest a third.
      tags: ["all", number === 1 ? "first" : "other"],
      enabled: true,
    },
  };
}
