/** `blixard ip-pool enable` and `disable`. */
import type { Command } from "commander";
import { type ClientOptions, change, withClientOptions } from "../../client/index.ts";
import { type Session, withExamples } from "../../frame/index.ts";

export function registerSwitch(pool: Command, session: Session, verb: "enable" | "disable"): void {
  withClientOptions(withExamples(pool.command(verb), [`blixard ip-pool ${verb} front`]))
    .description(
      verb === "enable"
        ? "Let an address pool give out addresses again."
        : "Have an address pool give out nothing new; what it gave out stays.",
    )
    .argument("<pool>", "its name")
    .action(async (name: string, options: ClientOptions) => {
      const told = { what: { name }, done: `address pool ${name} is ${verb}d` };
      await change(session, options, `ipPool.${verb}`, { name }, told);
    });
}
