/** `blixard scheduler`: how the cluster chooses a worker for a VM. */
import { type CommandGroup, withExamples } from "../../frame/index.ts";
import { registerSet } from "./set.ts";
import { registerShow } from "./show.ts";

export const registerScheduler: CommandGroup = (program, session) => {
  const scheduler = withExamples(program.command("scheduler"), [
    "blixard scheduler show",
    "blixard scheduler set --strategy spread --overcommit moderate",
  ]).description("How the cluster chooses a worker for a VM.");
  registerShow(scheduler, session);
  registerSet(scheduler, session);
};
