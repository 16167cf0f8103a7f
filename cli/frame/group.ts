/** What a command group is given to register itself with, and what its commands end with. */
import type { Command } from "commander";
import type { Terminal } from "../output/index.ts";
import type { Interrupt } from "./interrupt.ts";
import type { ExitCode } from "./outcome.ts";

export interface Session {
  readonly terminal: Terminal;
  /** From here on Ctrl-C asks instead of killing. Only for commands that look at the answer often. */
  watchInterrupt(): Interrupt;
  /** Called once, by the command that ran. */
  end(code: ExitCode): void;
}

/** Adds its commands to the program. Must be cheap: whatever a command needs to run, it imports when it runs. */
export type CommandGroup = (program: Command, session: Session) => void;

/** Gives a command its examples, and its errors a pointer to them. */
export function withExamples(command: Command, examples: readonly string[]): Command {
  const names: string[] = [];
  for (let at: Command | null = command; at !== null; at = at.parent) names.unshift(at.name());
  return command
    .addHelpText("after", `\nExamples:\n${examples.map((example) => `  $ ${example}`).join("\n")}`)
    .showHelpAfterError(`hint: ${names.join(" ")} --help has the options and examples`);
}
