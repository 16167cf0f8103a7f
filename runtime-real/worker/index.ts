/** What runs on a host for the cluster: the core's agent, and what carries its actions out. */
export { AgentLoop } from "./agent-loop.ts";
export type { Driver, DriverListener, MachineAction } from "./driver.ts";
export {
  ACCELERATOR_CHOICES,
  type Accelerator,
  type AcceleratorChoice,
  DEFAULT_WORKER,
  probeFacts,
  VM_DRIVERS,
  type VmDriver,
  type WorkerOptions,
} from "./facts.ts";
export type { ConsolePiece, ConsoleReader, ConsoleRun, MachineConsole } from "./machine-console.ts";
