/** `blixard vm`: virtual machines, as the cluster knows them. */
import { type CommandGroup, withExamples, withLateHelp } from "../../frame/index.ts";
import { registerConsole } from "./console.ts";
import { registerCreate } from "./create.ts";
import { registerHealth } from "./health/index.ts";
import { registerDelete, registerMigrate, registerRestart, registerStart, registerStop } from "./life.ts";
import { registerList } from "./list.ts";
import { registerLogs } from "./logs.ts";
import { registerPlan } from "./plan.ts";
import { registerShow } from "./show.ts";
import { registerUpdate } from "./update.ts";

export const registerVm: CommandGroup = (program, session) => {
  const vm = withExamples(program.command("vm"), [
    "blixard vm create --name web --vcpus 2 --memory 1024",
    "blixard vm plan --vcpus 8 --memory 16384",
    "blixard vm list",
  ]).description("Create, change and look at VMs.");
  registerCreate(vm, session);
  registerPlan(vm, session);
  registerUpdate(vm, session);
  registerStart(vm, session);
  registerStop(vm, session);
  registerRestart(vm, session);
  registerMigrate(vm, session);
  registerDelete(vm, session);
  registerList(vm, session);
  registerShow(vm, session);
  registerLogs(vm, session);
  registerConsole(vm, session);
  registerHealth(vm, session);
  withLateHelp(vm);
};

export { reserveOf, whyNowhere } from "./explanation.ts";
export { whyWords } from "./why.ts";
