/** The door of the core's test harness. Nothing but tests comes in here. */
export { AgentHarness, type Sent, type WantedTask, type WantedVm, wantedTask, wantedVm } from "./agent-harness.ts";
export { Cluster, type Envelope, type Host } from "./cluster.ts";
export { keyedDigest } from "./identity.ts";
export { FACTS, machine, OrchestratorHarness } from "./orchestrator-harness.ts";
