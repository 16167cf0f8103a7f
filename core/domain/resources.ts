/** Processors, memory and disk: what a host has, what a VM or a task needs. */

export interface Resources {
  readonly vcpus: number;
  readonly memoryMiB: number;
  readonly diskGiB: number;
}

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
