/** Why a VM does not run, in the few words that a table has room for. */
import type { ApiClient } from "../../../runtime-real/index.ts";
import type { Plan } from "./explanation.ts";
import type { Vm } from "./names.ts";

/** What the state says of it, and what it cannot know. */
export function whyWords(vm: Vm, isWithoutDriver: (workerId: number) => boolean): string {
  const words = vm.reason === "" ? [] : [vm.reason];
  const { state, workerId, eviction } = vm;
  if (words.length === 0 && eviction !== null) words.push(`leaves its worker: ${eviction}`);
  if (isWaitingForPlace(vm)) words.push("waits for a place");
  if (state === "Scheduled" && workerId !== null && isWithoutDriver(workerId)) words.push("no VM driver there");
  return words.join("; ");
}

/** One for which others make room has its place. */
export function isWaitingForPlace({ state, workerId, targetId, desired }: Vm): boolean {
  return state === "Pending" && workerId === null && targetId === null && desired === "running";
}

/** What the scheduler says of one that waits for a place; null: it waits for none, or has got one meanwhile. */
export async function planOfWaiting(
  api: ApiClient,
  vm: Vm,
  { stale, timeoutMs }: { readonly stale: boolean; readonly timeoutMs: number },
): Promise<Plan | null> {
  if (!isWaitingForPlace(vm)) return null;
  const { name } = vm;
  const plan = await api.read("vm.explain", { name, stale }, { timeoutMs });
  // Each answer is of a moment of its own: one that was placed in between would find the room taken that it has itself.
  const { vm: now } = await api.read("vm.show", { name, stale }, { timeoutMs });
  return now.updatedIndex === vm.updatedIndex ? plan : null;
}
