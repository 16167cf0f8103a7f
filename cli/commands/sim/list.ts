/** `sim list`: the scenarios, or the kinds of fault. */
import { FAULTS } from "../../../runtime-sim/index.ts";
import { SCENARIOS } from "../../../scenarios/index.ts";
import { count, duration, indent, type Terminal, table } from "../../output/index.ts";

export function printScenarios({ json }: { readonly json?: true }, terminal: Terminal): void {
  if (json === true) {
    const scenarios = SCENARIOS.map(({ name, summary, nodes, fleet, durationMs, expectedToFail }) => ({
      name,
      summary,
      nodes,
      workers: fleet?.workers ?? 0,
      durationMs,
      expectedToFail,
    }));
    terminal.out(JSON.stringify({ scenarios }));
    return;
  }
  for (const { name, summary, nodes, fleet, durationMs, expectedToFail } of SCENARIOS) {
    const members = fleet === null ? "nodes" : `members and ${count(fleet.workers)} hosts that run machines`;
    const shape = `${nodes.join(" or ")} ${members}, ${duration(durationMs)} of faults`;
    terminal.out(`${terminal.paintOut("bold", name)}: ${shape}`);
    terminal.out(`  ${summary}`);
    if (expectedToFail !== null)
      terminal.out(`  Expected to fail until ${expectedToFail.until} (${expectedToFail.oracle}).`);
  }
}

/** What a file for --faults may contain. */
export function printFaults({ json }: { readonly json?: true }, terminal: Terminal): void {
  if (json === true) {
    const faults = FAULTS.map(({ name, family, summary, parameters }) => ({ name, family, summary, parameters }));
    terminal.out(JSON.stringify({ faults }));
    return;
  }
  for (const { name, family, summary, parameters } of FAULTS) {
    terminal.out(`${terminal.paintOut("bold", name)} (${family}): ${summary}`);
    const rows = Object.entries(parameters).map(([parameter, spec]) => [
      parameter,
      "choices" in spec ? spec.choices.join(", ") : spec.limits.join(" to "),
      spec.meaning,
    ]);
    for (const line of indent(table("<<<", rows))) terminal.out(line);
  }
}
