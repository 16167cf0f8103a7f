/** Why a VM does not run, in few words for a table. */
import type { ApiClient } from "../../../runtime-real/index.ts";
import type { Plan } from "./explanation.ts";
import type { Vm } from "./names.ts";

/** The reason in the replicated state, and whether its worker lacks a driver. */
export function whyWords(vm: Vm, isWithoutDriver: (workerId: number) => boolean): string {
  const words = vm.reason === "" ? [] : [vm.reason];
  const { state, workerId, eviction } = vm;
  if (words.length === 0 && eviction !== null) words.push(`leaves its worker: ${eviction}`);
  if (isWaitingForPlace(vm)) words.push("waits for a place");
  if (state === "Scheduled" && workerId !== null && isWithoutDriver(workerId)) words.push("no VM driver there");
  return words.join("; ");
}

/** A VM for which others make room has a worker already. */
export function isWaitingForPlace({ state, workerId, targetId, desired }: Vm): boolean {
  return state === "Pending" && workerId === null && targetId === null && desired === "running";
}

/** The scheduler's answer about a VM that waits for a worker. Null: it does not wait, or no longer. */
export async function planOfWaiting(
  api: ApiClient,
  vm: Vm,
  { stale, timeoutMs }: { readonly stale: boolean; readonly timeoutMs: number },
): Promise<Plan | null> {
  if (!isWaitingForPlace(vm)) return null;
  const { name } = vm;
  const plan = await api.read("vm.explain", { name, stale }, { timeoutMs });
  // The two answers are of different moments. For a VM that was placed in between, the plan counts its own resources
  // as taken.
  const { vm: now } = await api.read("vm.show", { name, stale }, { timeoutMs });
  return now.updatedIndex === vm.updatedIndex ? plan : null;
}
