/** Every group of commands. */
import type { CommandGroup } from "../frame/index.ts";
import { registerCluster } from "./cluster.ts";
import { registerCompletion } from "./completion.ts";
import { registerDoctor } from "./doctor.ts";
import { registerAudit, registerEvents } from "./events.ts";
import { registerIpPool } from "./ip-pool.ts";
import { registerNode } from "./node.ts";
import { registerQuota } from "./quota.ts";
import { registerRebalance, registerScheduler } from "./scheduler.ts";
import { registerSim } from "./sim/index.ts";
import { registerTask } from "./task.ts";
import { registerToken } from "./token.ts";
import { registerVm } from "./vm/index.ts";
import { registerWorker } from "./worker.ts";

/** In the order in which help shows them. */
export const COMMAND_GROUPS: readonly CommandGroup[] = [
  registerNode,
  registerCluster,
  registerWorker,
  registerVm,
  registerTask,
  registerQuota,
  registerIpPool,
  registerScheduler,
  registerRebalance,
  registerToken,
  registerEvents,
  registerAudit,
  registerDoctor,
  registerSim,
  registerCompletion,
];
