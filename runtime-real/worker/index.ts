/** What runs on a host for the cluster: the core's agent, and what carries its actions out. */
export { AgentLoop } from "./agent-loop.ts";
export { DEFAULT_WORKER, probeFacts, type WorkerOptions } from "./facts.ts";
