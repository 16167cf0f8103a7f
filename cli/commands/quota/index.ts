/** `blixard quota`: what each tenant may have and how fast it may ask, and what it has. */
import { type CommandGroup, withExamples, withLateHelp } from "../../frame/index.ts";
import { registerGet } from "./get.ts";
import { registerList } from "./list.ts";
import { registerSet } from "./set.ts";
import { registerUsage } from "./usage.ts";

export const registerQuota: CommandGroup = (program, session) => {
  const quota = withExamples(program.command("quota"), [
    "blixard quota set acme --vms 10 --memory 65536",
    "blixard quota usage",
  ]).description("Limit tenants, and see what they use.");
  registerSet(quota, session);
  registerGet(quota, session);
  registerList(quota, session);
  registerUsage(quota, session);
  withLateHelp(quota);
};
