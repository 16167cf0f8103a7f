/** The leader's part in running workers, VMs and tasks. */
export { Orchestrator } from "./orchestrator.ts";
export type { Proposal } from "./proposals.ts";
