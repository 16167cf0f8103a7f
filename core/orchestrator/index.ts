/** The leader's part in running workers, VMs and tasks. */
export { Orchestrator, type Proposal } from "./orchestrator.ts";
