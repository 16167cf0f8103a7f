/** `blixard ip-pool`: where VMs get their addresses from. */
import { type CommandGroup, withExamples } from "../../frame/index.ts";
import { registerCreate } from "./create.ts";
import { registerDelete } from "./delete.ts";
import { registerList } from "./list.ts";
import { registerShow } from "./show.ts";
import { registerStrategy } from "./strategy.ts";
import { registerSwitch } from "./switch.ts";

export const registerIpPool: CommandGroup = (program, session) => {
  const pool = withExamples(program.command("ip-pool"), [
    "blixard ip-pool create --name front --subnet 10.20.0.0/24 --gateway 10.20.0.1",
    "blixard ip-pool list",
  ]).description("Make and look at the pools from which VMs get their addresses.");
  registerCreate(pool, session);
  registerList(pool, session);
  registerShow(pool, session);
  registerDelete(pool, session);
  registerSwitch(pool, session, "enable");
  registerSwitch(pool, session, "disable");
  registerStrategy(pool, session);
};
