/** `sim list`: the scenarios, or the kinds of fault. */
import { FAULTS, type Range } from "../../../runtime-sim/index.ts";
import { SCENARIOS } from "../../../scenarios/index.ts";
import { count, duration, indent, type Terminal, table } from "../../output/index.ts";

export function printScenarios({ json }: { readonly json?: true }, terminal: Terminal): void {
  if (json === true) {
    const scenarios = SCENARIOS.map(({ name, summary, nodes, fleet, durationMs, expectedToFail, variety }) => ({
      name,
      summary,
      nodes,
      workers: fleet?.workers ?? 0,
      durationMs,
      expectedToFail,
      variety,
    }));
    terminal.out(JSON.stringify({ scenarios }));
    return;
  }
  for (const { name, summary, nodes, fleet, durationMs, expectedToFail, variety } of SCENARIOS) {
    const workers = span(variety?.fleet?.whole.workers, fleet?.workers ?? 0, count);
    const members = fleet === null ? "nodes" : `members and ${workers} hosts that run machines`;
    const lasts = span(variety?.durationMs, durationMs, duration);
    const shape = `${[...new Set(nodes)].join(" or ")} ${members}, ${lasts} of faults`;
    terminal.out(`${terminal.paintOut("bold", name)}: ${shape}`);
    terminal.out(`  ${summary}`);
    if (expectedToFail !== null)
      terminal.out(`  Expected to fail until ${expectedToFail.until} (${expectedToFail.oracle}).`);
  }
}

/** What each seed draws from a range, or what is the same for all. */
function span(range: Range | null | undefined, otherwise: number, text: (value: number) => string): string {
  return range == null ? text(otherwise) : `${text(range[0])} to ${text(range[1])}`;
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
