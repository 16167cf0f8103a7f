/** The door of the core's test harness. Nothing but tests comes in here. */
export { Cluster, type Envelope, type Host } from "./cluster.ts";
export { keyedDigest } from "./identity.ts";
