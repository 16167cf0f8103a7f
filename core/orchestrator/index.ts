/** The leader's part in running workers, VMs and tasks. */
export { Orchestrator, occupantsOf, type Proposal } from "./orchestrator.ts";
