/** `blixard ip-pool enable` and `disable`. */
import type { Command } from "commander";
import type { AnswerOf, ApiClient } from "../../../runtime-real/index.ts";
import { type ClientOptions, withClientOptions, withNode } from "../../client/index.ts";
import { type Session, withExamples } from "../../frame/index.ts";

export function registerSwitch(pool: Command, { terminal }: Session, verb: "enable" | "disable"): void {
  withClientOptions(withExamples(pool.command(verb), [`blixard ip-pool ${verb} front`]))
    .description(
      verb === "enable"
        ? "Let an address pool give out addresses again."
        : "Have an address pool give out nothing new; what it gave out stays.",
    )
    .argument("<pool>", "its name")
    .action(async (name: string, options: ClientOptions) => {
      const ask = (api: ApiClient): Promise<AnswerOf<"ipPool.enable">> =>
        api.write(verb === "enable" ? "ipPool.enable" : "ipPool.disable", { name }, { timeoutMs: options.timeout });
      const answer = await withNode(options, ask);
      if (options.json === true) terminal.out(JSON.stringify({ name, ...answer }));
      else terminal.out(`address pool ${name} is ${verb}d: log index ${answer.index}, term ${answer.term}`);
    });
}
