import type { Command } from "commander";
import type { AnswerOf } from "../../../runtime-real/index.ts";
import { type ReadOptions, show, withReadOptions } from "../../client/index.ts";
import { type Session, withExamples } from "../../frame/index.ts";
import { bar, count, type Paint, table } from "../../output/index.ts";

export type Pool = AnswerOf<"ipPool.show">["pool"];

export const BAR = 10;

export function registerShow(pool: Command, session: Session): void {
  withReadOptions(withExamples(pool.command("show"), ["blixard ip-pool show front"]))
    .description("One address pool.")
    .argument("<pool>", "its name")
    .action(async (name: string, options: ReadOptions) => {
      const request = { name, stale: options.stale === true };
      await show(session, options, "ipPool.show", request, ({ pool: shown }) =>
        renderPool(shown, session.terminal.paintOut),
      );
    });
}

export function renderPool(pool: Pool, paint: Paint): string[] {
  const { gateway, dns, rangeFirst, rangeLast, vlan, reserved, datacenter, zone, tags, usedCount, size, enabled } =
    pool;
  const list = (items: readonly string[]): string => (items.length === 0 ? "-" : items.join(", "));
  const range =
    rangeFirst === null && rangeLast === null
      ? "all of the subnet"
      : `${rangeFirst ?? "its start"} to ${rangeLast ?? "its end"}`;
  return table("<<", [
    ["pool", pool.name],
    ["state", enabled ? paint("green", "enabled") : paint("yellow", "disabled: gives out nothing new")],
    ["subnet", pool.subnet],
    ["range", range],
    ["used", `${bar(usedCount, size, BAR, paint)}, ${count(usedCount)} of ${count(size)}`],
    ["gateway", gateway ?? "-"],
    ["name servers", list(dns)],
    ["VLAN", vlan === null ? "-" : `${vlan}`],
    ["reserved", list(reserved)],
    ["place", `datacenter ${datacenter ?? "any"}, zone ${zone ?? "any"}`],
    ["tags", list(tags)],
  ]);
}
