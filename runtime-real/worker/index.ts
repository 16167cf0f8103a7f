/** A node as a host that runs what the cluster wants: the core's agent in the real world. */
export type { Driver, DriverListener, MachineAction } from "./driver.ts";
export { DEFAULT_WORKER, probeFacts, type WorkerOptions } from "./facts.ts";
export { WorkerHost, type WorkerHostParts } from "./worker-host.ts";
