import type { Command } from "commander";
import { type ClientOptions, withClientOptions, withNode } from "../../client/index.ts";
import { type Session, withExamples } from "../../frame/index.ts";
import { bar, count, fitTable, type Paint } from "../../output/index.ts";
import { BAR, type Pool } from "./show.ts";
import { renderStrategy } from "./strategy.ts";

export function registerList(pool: Command, { terminal }: Session): void {
  withClientOptions(withExamples(pool.command("list"), ["blixard ip-pool list"]))
    .description("All address pools, and how full they are.")
    .option("--stale", "what this node knows, without asking the leader")
    .action(async (options: ClientOptions & { readonly stale?: true }) => {
      const answer = await withNode(options, (api) =>
        api.read("ipPool.list", { stale: options.stale === true }, { timeoutMs: options.timeout }),
      );
      if (options.json === true) terminal.out(JSON.stringify(answer));
      else if (answer.pools.length === 0)
        terminal.err("there are no address pools; `blixard ip-pool create --name NAME --subnet SUBNET` makes one");
      else {
        for (const line of renderPools(answer.pools, terminal.paintOut, terminal.columns)) terminal.out(line);
        terminal.out("");
        terminal.out(renderStrategy(answer.strategy));
      }
    });
}

export function renderPools(pools: readonly Pool[], paint: Paint, columns: number): string[] {
  const rows = pools.map(({ name, subnet, gateway, vlan, usedCount, size, enabled }) => [
    name,
    subnet,
    gateway ?? "-",
    vlan === null ? "-" : `${vlan}`,
    count(usedCount),
    count(size),
    bar(usedCount, size, BAR, paint),
    enabled ? paint("green", "enabled") : paint("yellow", "disabled"),
  ]);
  return fitTable("<<<>>><<", [["POOL", "SUBNET", "GATEWAY", "VLAN", "USED", "OF", "", "STATE"], ...rows], columns);
}
