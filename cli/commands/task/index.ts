/** `blixard task`: commands that run to completion on a worker that has the room. */
import { type CommandGroup, withExamples } from "../../frame/index.ts";
import { registerCancel } from "./cancel.ts";
import { registerList } from "./list.ts";
import { registerShow } from "./show.ts";
import { registerSubmit } from "./submit.ts";

export const registerTask: CommandGroup = (program, session) => {
  const task = withExamples(program.command("task"), [
    "blixard task submit --vcpus 2 /usr/bin/make all",
    "blixard task list",
  ])
    .description("Run commands to completion on workers.")
    .enablePositionalOptions();
  registerSubmit(task, session);
  registerList(task, session);
  registerShow(task, session);
  registerCancel(task, session);
};
