/** Shared by `worker list` and `worker show`: the status, and how much of a resource is taken. */
import type { AnswerOf } from "../../../runtime-real/index.ts";
import type { Paint } from "../../output/index.ts";

export type Worker = AnswerOf<"worker.show">["worker"];

export type Shown = AnswerOf<"worker.show">;

export const RESOURCES = [
  { key: "vcpus", name: "vCPUs" },
  { key: "memoryMiB", name: "memory MiB" },
  { key: "diskGiB", name: "disk GiB" },
] as const;

export type ResourceKey = (typeof RESOURCES)[number]["key"];

/** Used, and reserved for VMs that are to be placed there. */
export function takenOf({ used, reserved }: Worker, key: ResourceKey): number {
  return used[key] + reserved[key];
}

const COLOURS = { online: "green", cordoned: "yellow", draining: "yellow", offline: "red" } as const;

export function statusWord({ status }: Worker, paint: Paint): string {
  return paint(COLOURS[status], status);
}
