/** `blixard vm`: virtual machines, as the cluster knows them. */
import { type CommandGroup, withExamples } from "../../frame/index.ts";
import { registerCreate, registerPlan, registerUpdate } from "./create.ts";
import { registerHealth } from "./health.ts";
import { registerDelete, registerMigrate, registerRestart, registerStart, registerStop } from "./life.ts";
import { registerList, registerShow } from "./show.ts";

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
  registerHealth(vm, session);
};

export { reserveOf, whyNowhere } from "./plan.ts";
export { whyWords } from "./why.ts";
