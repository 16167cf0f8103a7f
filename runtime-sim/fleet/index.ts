/** Workers, the tenants and operators of a fleet, and what must hold of it. */
export type { Missing } from "./audit.ts";
export { FIRST_WORKER_ID, Fleet } from "./fleet.ts";
export { FleetSimulation } from "./fleet-simulation.ts";
export { CALM_FLEET, type FleetShape, WISHES, type Wish } from "./shape.ts";
export type { SimWorker } from "./sim-worker.ts";
export { Tenants } from "./tenants.ts";
export { drawFleet, type FleetVariety } from "./variety.ts";
