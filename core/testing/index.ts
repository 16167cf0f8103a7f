/** The door of the core's test harnesses. */
export { AgentHarness, type Sent, type WantedTask, type WantedVm, wantedTask, wantedVm } from "./agent-harness.ts";
export { Cluster, type Envelope } from "./cluster.ts";
export { NodeView } from "./node-view.ts";
export { FACTS, machine, OrchestratorHarness, withWorkers } from "./orchestrator-harness.ts";
export { RuntimeContract } from "./runtime-contract.ts";
