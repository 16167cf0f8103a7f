import type { Command } from "commander";
import { type ReadOptions, withNode, withReadOptions } from "../../client/index.ts";
import { type Session, withExamples } from "../../frame/index.ts";
import { count, fitTable } from "../../output/index.ts";
import type { Tenant } from "./tenant.ts";

export function registerList(quota: Command, { terminal }: Session): void {
  withReadOptions(withExamples(quota.command("list"), ["blixard quota list"]))
    .description("The limits of all tenants that have any.")
    .action(async (options: ReadOptions) => {
      const answer = await withNode(options, (api) =>
        api.read("quota.list", { stale: options.stale === true }, { timeoutMs: options.timeout }),
      );
      const limited = answer.tenants.filter(({ quota: limits }) => limits !== null);
      if (options.json === true) terminal.out(JSON.stringify({ index: answer.index, tenants: limited }));
      else if (limited.length === 0)
        terminal.err("no tenant is limited; `blixard quota set TENANT --vms 10` limits one");
      else for (const line of renderQuotas(limited, terminal.columns)) terminal.out(line);
    });
}

export function renderQuotas(tenants: readonly Tenant[], columns: number): string[] {
  const rows = tenants.flatMap(({ tenant, quota }) =>
    quota === null
      ? []
      : [
          [
            tenant,
            count(quota.vms),
            count(quota.vmsPerWorker),
            count(quota.vcpus),
            count(quota.memoryMiB),
            count(quota.diskGiB),
            `${count(quota.createsPerMinute)}/min`,
            `${count(quota.deletesPerMinute)}/min`,
            `${count(quota.requestsPerSecond)}/s`,
          ],
        ],
  );
  const head = ["TENANT", "VMS", "A WORKER", "VCPUS", "MIB", "DISK GIB", "CREATES", "DELETES", "CHANGES"];
  return fitTable("<>>>>>>>>", [head, ...rows], columns);
}
