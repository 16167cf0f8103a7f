import type { Command } from "commander";
import { type ReadOptions, show, withReadOptions } from "../../client/index.ts";
import { type Session, withExamples } from "../../frame/index.ts";
import { bar, count, type Paint, table } from "../../output/index.ts";
import { RESOURCES, type Tenant } from "./tenant.ts";

type Quota = NonNullable<Tenant["quota"]>;

export function registerGet(quota: Command, session: Session): void {
  withReadOptions(withExamples(quota.command("get"), ["blixard quota get acme"]))
    .description("One tenant's limits, and what it has.")
    .argument("<tenant>", "whose")
    .action(async (tenant: string, options: ReadOptions) => {
      const request = { tenant, stale: options.stale === true };
      await show(session, options, "quota.get", request, (answer) => renderTenant(answer, session.terminal.paintOut));
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
