/** Processors, memory and disk: what a host has, what a VM or a task needs. */
import { type Infer, integer, record } from "../schema/index.ts";
import { CLUSTER_LIMITS } from "./limits.ts";

export const resourcesSchema = record({
  vcpus: integer(0, CLUSTER_LIMITS.hostVcpus),
  memoryMiB: integer(0, CLUSTER_LIMITS.hostMemoryMiB),
  diskGiB: integer(0, CLUSTER_LIMITS.hostDiskGiB),
});
export type Resources = Infer<typeof resourcesSchema>;

export const NO_RESOURCES: Resources = Object.freeze({ vcpus: 0, memoryMiB: 0, diskGiB: 0 });

export const RESOURCES = ["vcpus", "memoryMiB", "diskGiB"] as const;

/** `a` and (1) or without (-1) `b`. */
export function sum(a: Resources, b: Resources, sign: 1 | -1): Resources {
  return Object.freeze({
    vcpus: a.vcpus + sign * b.vcpus,
    memoryMiB: a.memoryMiB + sign * b.memoryMiB,
    diskGiB: a.diskGiB + sign * b.diskGiB,
  });
}

export function less(a: Resources, b: Resources): Resources {
  return sum(a, b, -1);
}

/** What there is of each is never less than nothing. */
export function isNegative({ vcpus, memoryMiB, diskGiB }: Resources): boolean {
  return vcpus < 0 || memoryMiB < 0 || diskGiB < 0;
}
