import type { Command } from "commander";
import { type ClientOptions, withClientOptions, withNode } from "../../client/index.ts";
import { type Session, withExamples } from "../../frame/index.ts";
import { bar, count, type Paint, table } from "../../output/index.ts";
import { RESOURCES, type Tenant } from "./tenant.ts";

type Quota = NonNullable<Tenant["quota"]>;

export function registerGet(quota: Command, { terminal }: Session): void {
  withClientOptions(withExamples(quota.command("get"), ["blixard quota get acme"]))
    .description("One tenant's limits, and what it has.")
    .argument("<tenant>", "whose")
    .option("--stale", "what this node knows, without asking the leader")
    .action(async (tenant: string, options: ClientOptions & { readonly stale?: true }) => {
      const answer = await withNode(options, (api) =>
        api.read("quota.get", { tenant, stale: options.stale === true }, { timeoutMs: options.timeout }),
      );
      if (options.json === true) terminal.out(JSON.stringify(answer));
      else for (const line of renderTenant(answer, terminal.paintOut)) terminal.out(line);
    });
}

const BAR = 20;

export function renderTenant({ tenant, quota, usage }: Tenant, paint: Paint): string[] {
  const rows = RESOURCES.map(({ key, name }) => [
    name,
    count(usage[key]),
    quota === null ? "-" : count(quota[key]),
    quota === null ? "" : bar(usage[key], quota[key], BAR, paint),
  ]);
  const lines = [
    `tenant ${tenant}${quota === null ? " has no quota: it is not limited" : ""}`,
    "",
    ...table("<>><", [["", "HAS", "MAY HAVE", ""], ...rows]),
  ];
  if (quota !== null) lines.push("", ...ratesOf(quota));
  return lines;
}

function ratesOf(quota: Quota): string[] {
  return table("<>", [
    ["VMs on one worker", count(quota.vmsPerWorker)],
    ["creates a minute", count(quota.createsPerMinute)],
    ["deletes a minute", count(quota.deletesPerMinute)],
    ["changes a second", count(quota.requestsPerSecond)],
    ["changes at once", count(quota.requestsBurst)],
  ]);
}
