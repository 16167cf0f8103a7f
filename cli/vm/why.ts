/** Why a VM does not run, in the few words that a table has room for. */
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

export function isWaitingForPlace({ state, workerId, desired }: Vm): boolean {
  return state === "Pending" && workerId === null && desired === "running";
}
