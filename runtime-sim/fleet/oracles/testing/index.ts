/** For tests of the oracles of fleets. */
export { FakeFleet, type FakeHost } from "./fake-fleet.ts";
