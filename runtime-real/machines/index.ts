/** The machines of a host. */
export type { KvmTrial } from "./kvm-trial.ts";
export { knownKvm, machinesOf, openDriver } from "./open-driver.ts";
