import type { Command } from "commander";
import { type ReadOptions, withNode, withReadOptions } from "../../client/index.ts";
import { type Session, withExamples } from "../../frame/index.ts";
import { bar, count, fitTable, type Paint } from "../../output/index.ts";
import { RESOURCES, type Tenant } from "./tenant.ts";

export function registerUsage(quota: Command, { terminal }: Session): void {
  withReadOptions(withExamples(quota.command("usage"), ["blixard quota usage", "blixard quota usage acme"]))
    .description("What tenants have, and how much of what they may have that is.")
    .argument("[tenant]", "only this one")
    .action(async (tenant: string | undefined, options: ReadOptions) => {
      const answer = await withNode(options, (api) =>
        api.read("quota.list", { stale: options.stale === true }, { timeoutMs: options.timeout }),
      );
      const tenants = answer.tenants.filter((one) => tenant === undefined || one.tenant === tenant);
      if (options.json === true) terminal.out(JSON.stringify({ index: answer.index, tenants }));
      else if (tenants.length === 0)
        terminal.err(tenant === undefined ? "no tenant has anything" : `tenant ${tenant} has nothing, and no quota`);
      else for (const line of renderUsage(tenants, terminal.paintOut, terminal.columns)) terminal.out(line);
    });
}

const LIST_BAR = 4;

export function renderUsage(tenants: readonly Tenant[], paint: Paint, columns: number): string[] {
  const rows = tenants.map(({ tenant, quota, usage }) => [
    tenant,
    ...RESOURCES.flatMap(({ key }) => [
      count(usage[key]),
      quota === null ? "no limit" : bar(usage[key], quota[key], LIST_BAR, paint),
    ]),
  ]);
  const head = ["TENANT", "VMS", "", "VCPUS", "", "MIB", "", "DISK GIB", ""];
  return fitTable("<><><><><", [head, ...rows], columns);
}
