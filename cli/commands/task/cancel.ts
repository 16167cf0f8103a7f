import type { Command } from "commander";
import { type ClientOptions, withClientOptions, withNode } from "../../client/index.ts";
import { type Session, withExamples } from "../../frame/index.ts";

export function registerCancel(task: Command, { terminal }: Session): void {
  withClientOptions(withExamples(task.command("cancel"), ["blixard task cancel backup-7"]))
    .description("End a task; forget one that is over.")
    .argument("<task>", "its id")
    .action(async (id: string, options: ClientOptions) => {
      const answer = await withNode(options, (api) => api.write("task.cancel", { id }, { timeoutMs: options.timeout }));
      if (options.json === true) terminal.out(JSON.stringify({ id, ...answer }));
      else terminal.out(`task ${id} is cancelled: log index ${answer.index}, term ${answer.term}`);
    });
}
