/** Every group of commands. */
import type { CommandGroup } from "../frame/index.ts";
import { registerCluster } from "./cluster/index.ts";
import { registerCompletion } from "./completion.ts";
import { registerDoctor } from "./doctor/index.ts";
import { registerAudit, registerEvents } from "./events/index.ts";
import { registerImage } from "./image/index.ts";
import { registerIpPool } from "./ip-pool/index.ts";
import { registerNode } from "./node.ts";
import { registerQuota } from "./quota/index.ts";
import { registerRebalance } from "./rebalance.ts";
import { registerScheduler } from "./scheduler/index.ts";
import { registerSim } from "./sim/index.ts";
import { registerTask } from "./task/index.ts";
import { registerToken } from "./token.ts";
import { registerVm } from "./vm/index.ts";
import { registerWorker } from "./worker/index.ts";

/** In the order of the help. */
export const COMMAND_GROUPS: readonly CommandGroup[] = [
  registerNode,
  registerCluster,
  registerWorker,
  registerVm,
  registerImage,
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
