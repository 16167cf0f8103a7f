/** The machines of a host. */

export { devicesHere, type HostDevice } from "./host-devices.ts";
export type { KvmTrial } from "./kvm-trial.ts";
export { knownKvm, machinesOf, openDriver } from "./open-driver.ts";
