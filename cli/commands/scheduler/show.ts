import type { Command } from "commander";
import { type ClientOptions, withClientOptions, withNode } from "../../client/index.ts";
import { type Session, withExamples } from "../../frame/index.ts";
import { loadPresets, renderScheduler } from "./settings.ts";

export function registerShow(scheduler: Command, { terminal }: Session): void {
  withClientOptions(withExamples(scheduler.command("show"), ["blixard scheduler show"]))
    .description("The strategy and its settings.")
    .option("--stale", "what this node knows, without asking the leader")
    .action(async (options: ClientOptions & { readonly stale?: true }) => {
      const answer = await withNode(options, (api) =>
        api.read("scheduler.get", { stale: options.stale === true }, { timeoutMs: options.timeout }),
      );
      if (options.json === true) terminal.out(JSON.stringify(answer));
      else for (const line of renderScheduler(answer.scheduler, await loadPresets())) terminal.out(line);
    });
}
