/** `blixard worker`: hosts that run machines. */
import { type CommandGroup, withExamples } from "../../frame/index.ts";
import { registerConfirmDead } from "./confirm-dead.ts";
import { registerCordon, registerUncordon } from "./cordon.ts";
import { registerDrain } from "./drain.ts";
import { registerList } from "./list.ts";
import { registerRemove } from "./remove.ts";
import { registerShow } from "./show.ts";

export const registerWorker: CommandGroup = (program, session) => {
  const worker = withExamples(program.command("worker"), ["blixard worker list", "blixard worker drain 2"]).description(
    "Look at the hosts that run machines, and take them out of service.",
  );
  registerList(worker, session);
  registerShow(worker, session);
  registerDrain(worker, session);
  registerCordon(worker, session);
  registerUncordon(worker, session);
  registerConfirmDead(worker, session);
  registerRemove(worker, session);
};
