/** The agent of a host that runs machines, and the contract between it, its host and the cluster. */
export { Agent, type AgentState } from "./agent.ts";
export { FENCE_GRACE_MS, LEASE_TTL_MS, REPORT_EVERY_MS, waitForLeaseMs } from "./lease.ts";
export {
  type AssignedTask,
  type AssignedVm,
  type Assignment,
  type Details,
  type Directive,
  decodeDirective,
  decodeReport,
  encodeDirective,
  encodeReport,
  HOST_LIMITS,
  type Inventory,
  type Report,
  type ReportedMachine,
  type TaskDetail,
  type VmDetail,
} from "./protocol.ts";
export * from "./types.ts";
