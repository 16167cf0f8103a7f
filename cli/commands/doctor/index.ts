/** `blixard doctor`: what this host has and lacks for running a node. */
import { DEFAULT_BIND } from "../../../runtime-real/index.ts";
import { dataDirOption } from "../../client/index.ts";
import { type CommandGroup, EXIT, withExamples } from "../../frame/index.ts";
import { type Terminal, table } from "../../output/index.ts";
import { checks } from "./checks.ts";
import type { DoctorOptions, Finding } from "./finding.ts";

export const registerDoctor: CommandGroup = (program, session) => {
  withExamples(program.command("doctor"), ["blixard doctor", "blixard doctor --data-dir /var/lib/blixard --json"])
    .description("Check this host, and say how to mend what is missing. Exit code 1 when a node cannot run here.")
    .addOption(dataDirOption())
    .option("--bind <host:port>", "where a node is to listen", DEFAULT_BIND)
    .option("--json", "print one JSON object instead")
    .action(async (options: DoctorOptions) => {
      const findings = await examine(options);
      if (options.json === true) session.terminal.out(JSON.stringify({ findings }));
      else for (const line of renderFindings(findings, session.terminal)) session.terminal.out(line);
      session.end(findings.some(({ state }) => state === "failed") ? EXIT.failed : EXIT.holds);
    });
};

export async function examine(options: DoctorOptions): Promise<readonly Finding[]> {
  return await Promise.all(Object.entries(checks).map(async ([check, look]) => ({ check, ...(await look(options)) })));
}

export function renderFindings(findings: readonly Finding[], { paintOut }: Pick<Terminal, "paintOut">): string[] {
  const colours = { ok: "green", warning: "yellow", failed: "red" } as const;
  return findings.flatMap(({ check, state, found, mend }) => [
    ...table("<<<", [[paintOut(colours[state], state.padEnd(7)), check.padEnd(16), found]]),
    ...(mend === null ? [] : [`         mend: ${mend}`]),
  ]);
}
