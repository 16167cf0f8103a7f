import type { Command } from "commander";
import { type ReadOptions, show, withReadOptions } from "../../client/index.ts";
import { type Session, withExamples } from "../../frame/index.ts";
import { bar, count, fitTable, type Paint } from "../../output/index.ts";
import { BAR, type Pool } from "./show.ts";
import { renderStrategy } from "./strategy.ts";

export function registerList(pool: Command, session: Session): void {
  withReadOptions(withExamples(pool.command("list"), ["blixard ip-pool list"]))
    .description("All address pools, and how full they are.")
    .action(async (options: ReadOptions) => {
      const { paintOut, columns } = session.terminal;
      await show(
        session,
        options,
        "ipPool.list",
        { stale: options.stale === true },
        ({ pools, strategy }) =>
          pools.length === 0 ? [] : [...renderPools(pools, paintOut, columns), "", renderStrategy(strategy)],
        "there are no address pools; `blixard ip-pool create --name NAME --subnet SUBNET` makes one",
      );
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
