import type { Command } from "commander";
import { type ClientOptions, change, withClientOptions } from "../../client/index.ts";
import { type Session, withExamples } from "../../frame/index.ts";

export function registerCancel(task: Command, session: Session): void {
  withClientOptions(withExamples(task.command("cancel"), ["blixard task cancel backup-7"]))
    .description("End a task; forget one that is over.")
    .argument("<task>", "its id")
    .action(async (id: string, options: ClientOptions) => {
      await change(session, options, "task.cancel", { id }, { what: { id }, done: `task ${id} is cancelled` });
    });
}
