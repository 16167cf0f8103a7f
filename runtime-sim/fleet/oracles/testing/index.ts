/** For tests of the oracles of fleets. */
export { asking } from "./asking.ts";
export { FakeFleet } from "./fake-fleet.ts";
export type { FakeWorker } from "./fake-worker.ts";
export { INTERRUPTIONS, type Interruption } from "./interruptions.ts";
