/** The door of the core's test harness. Nothing but tests comes in here. */
export { Bench, type Sent, type WantedTask, type WantedVm, wantedTask, wantedVm } from "./bench.ts";
export { Cluster, type Envelope, type Host } from "./cluster.ts";
export { keyedDigest } from "./identity.ts";
export { FACTS, machine, Office } from "./office.ts";
