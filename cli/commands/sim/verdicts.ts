/** `sim byzantine --verdicts`: the expected outcome of each Byzantine act. */
import { VERDICTS } from "../../../runtime-sim/index.ts";
import { UsageError } from "../../frame/index.ts";
import { indent, type Terminal, table } from "../../output/index.ts";

/** The table of verdicts belongs to the scenario `byzantine`: with any other it is wrong usage. */
export function printVerdicts(scenario: string | null, { json }: { readonly json?: true }, terminal: Terminal): void {
  if (scenario !== null && scenario !== "byzantine") {
    throw new UsageError(`--verdicts does not go with ${scenario}`, "write blixard sim byzantine --verdicts");
  }
  if (json === true) {
    terminal.out(JSON.stringify({ verdicts: VERDICTS }));
    return;
  }
  for (const { act, expected, summary, mustShow, oracles, aftermath, why } of VERDICTS) {
    terminal.out(`${terminal.paintOut("bold", act)}: ${expected}`);
    const rows = [
      ["does", summary],
      ["why", why],
    ];
    if (mustShow !== null) rows.push(["must show", mustShow]);
    if (oracles.length > 0) rows.push(["found by", oracles.join(", ")]);
    if (aftermath.length > 0) rows.push(["then also", aftermath.join(", ")]);
    for (const line of indent(table("<<", rows))) terminal.out(line);
  }
}
