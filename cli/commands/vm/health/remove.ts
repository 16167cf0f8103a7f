import type { Command } from "commander";
import { type ClientOptions, withClientOptions } from "../../../client/index.ts";
import { FailureError, type Session, withExamples } from "../../../frame/index.ts";
import { changeChecks } from "./change.ts";

export function registerRemove(health: Command, { terminal }: Session): void {
  withClientOptions(withExamples(health.command("remove"), ["blixard vm health remove web up"]))
    .description("Take a health check away.")
    .argument("<vm>", "which VM")
    .argument("<check>", "which check")
    .action(async (name: string, check: string, options: ClientOptions) => {
      const answer = await changeChecks(name, options, (checks) => {
        if (checks.every((known) => known.name !== check))
          throw new FailureError(
            `${name} has no health check ${check}`,
            `\`blixard vm health show ${name}\` lists them`,
          );
        return checks.filter((known) => known.name !== check);
      });
      if (options.json === true) terminal.out(JSON.stringify({ name, check, ...answer }));
      else
        terminal.out(
          `${name} has no health check ${check} any more: generation ${answer.generation}, log index ${answer.index}`,
        );
    });
}
