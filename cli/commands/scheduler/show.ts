import type { Command } from "commander";
import { type ReadOptions, show, withReadOptions } from "../../client/index.ts";
import { type Session, withExamples } from "../../frame/index.ts";
import { loadPresets, renderScheduler } from "./settings.ts";

export function registerShow(scheduler: Command, session: Session): void {
  withReadOptions(withExamples(scheduler.command("show"), ["blixard scheduler show"]))
    .description("The strategy and its settings.")
    .action(async (options: ReadOptions) => {
      const request = { stale: options.stale === true };
      await show(session, options, "scheduler.get", request, async ({ scheduler: settings }) =>
        renderScheduler(settings, await loadPresets()),
      );
    });
}
