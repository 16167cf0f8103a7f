import type { Command } from "commander";
import { type ReadOptions, withNode, withReadOptions } from "../../../client/index.ts";
import { type Session, withExamples } from "../../../frame/index.ts";
import { duration, fitTable } from "../../../output/index.ts";
import { showOrSuggest, type Vm } from "../names.ts";
import type { Probe } from "./change.ts";

export function registerShow(health: Command, { terminal }: Session): void {
  withReadOptions(withExamples(health.command("show"), ["blixard vm health show web"]))
    .description("A VM's health checks, and how it is.")
    .argument("<vm>", "which VM")
    .action(async (name: string, options: ReadOptions) => {
      const { vm, index } = await withNode(options, (api) => showOrSuggest(api, name, options));
      const { state, reason, restarts, relocations, spec } = vm;
      if (options.json === true) {
        const { healthChecks, recovery } = spec;
        terminal.out(JSON.stringify({ index, name, state, reason, restarts, relocations, healthChecks, recovery }));
        return;
      }
      for (const line of renderHealth(vm, terminal.columns)) terminal.out(line);
    });
}

export function renderHealth({ name, state, reason, restarts, relocations, spec }: Vm, columns: number): string[] {
  const { healthChecks, recovery } = spec;
  const how = `${name} is ${state}${reason === "" ? "" : `: ${reason}`}`;
  const after = `${restarts} of ${recovery.restartsMax} restarts on this worker, ${relocations} moves to another`;
  if (healthChecks.length === 0)
    return [`${how}; ${after}`, "it has no health checks: it counts as healthy while it runs"];
  const rows = healthChecks.map((check) => [
    check.name,
    probeWords(check.probe),
    duration(check.intervalMs),
    duration(check.timeoutMs),
    duration(check.initialDelayMs),
    `${check.failures}/${check.successes}`,
    `${check.weight}`,
    check.critical ? "yes" : "no",
  ]);
  const head = ["CHECK", "PROBE", "EVERY", "TIME-OUT", "FROM", "FAIL/OK", "WEIGHT", "CRITICAL"];
  return [`${how}; ${after}`, "", ...fitTable("<<>>>>><", [head, ...rows], columns)];
}

function probeWords(probe: Probe): string {
  switch (probe.kind) {
    case "http":
      return `http :${probe.port}${probe.path}`;
    case "tcp":
      return `tcp :${probe.port}`;
    case "script":
      return `script ${probe.script}`;
    case "console":
      return `console /${probe.pattern}/`;
    case "process":
      return `process ${probe.process}`;
    case "guestAgent":
      return "guest agent";
  }
}
