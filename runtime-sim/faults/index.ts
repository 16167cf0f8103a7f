/** All kinds of faults, in one table. To add one, write it in the file of its family and add it to the list there. */
import { addressFaults } from "./address.ts";
import { clockFaults } from "./clock.ts";
import { diskFaults } from "./disk.ts";
import type { FaultKind } from "./kind.ts";
import { memoryFaults } from "./memory.ts";
import { networkFaults } from "./network.ts";
import { partitionFaults } from "./partitions.ts";
import { processFaults } from "./process.ts";
import { strikeFaults } from "./strike.ts";
import { workerFaults } from "./worker.ts";

export { FaultAtlas } from "./atlas.ts";
export { Injector, type InjectorWorld } from "./injector.ts";
export { drawParameter, type EndFault, type FaultKind, type ParameterSpec } from "./kind.ts";
export type { FaultTarget, ParameterValue, PlannedFault } from "./planned-fault.ts";
export type { FaultWorld, WorkerTarget } from "./world.ts";

export const FAULTS: readonly FaultKind[] = [
  ...networkFaults,
  ...partitionFaults,
  ...processFaults,
  ...strikeFaults,
  ...diskFaults,
  ...clockFaults,
  ...workerFaults,
  ...memoryFaults,
  ...addressFaults,
];

const byName: ReadonlyMap<string, FaultKind> = new Map(FAULTS.map((kind) => [kind.name, kind]));

export function faultNamed(name: string): FaultKind | null {
  return byName.get(name) ?? null;
}
