/** `blixard cluster`: who belongs to it, and how it is. */
import { type CommandGroup, withExamples } from "../../frame/index.ts";
import { registerJoin } from "./join.ts";
import { registerLeave } from "./leave.ts";
import { registerMembers } from "./members.ts";
import { registerStatus } from "./status.ts";
import { registerTransfer } from "./transfer-leader.ts";

export const registerCluster: CommandGroup = (program, session) => {
  const cluster = withExamples(program.command("cluster"), [
    "blixard cluster status",
    "blixard cluster leave --node 3",
  ]).description("Look at the cluster, and change who belongs to it.");
  registerStatus(cluster, session);
  registerMembers(cluster, session);
  registerJoin(cluster, session);
  registerLeave(cluster, session);
  registerTransfer(cluster, session);
};
