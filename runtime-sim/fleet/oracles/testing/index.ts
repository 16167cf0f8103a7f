/** For tests of the oracles of fleets. */
export { FakeFleet, type FakeWorker } from "./fake-fleet.ts";
