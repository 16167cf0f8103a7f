/** What a group of commands gets to register itself, and how its commands end. */
import type { Command } from "commander";
import type { Terminal } from "../output/index.ts";
import type { Interrupt } from "./interrupt.ts";
import type { ExitCode } from "./outcome.ts";

export interface Session {
  readonly terminal: Terminal;
  /** From here on Ctrl-C is a request to stop, not a kill. Only for commands that check it often. */
  watchInterrupt(): Interrupt;
  /** Called once, by the command that ran. */
  end(code: ExitCode): void;
}

/** Adds its commands to the program. Must be cheap: a command imports what it needs when it runs. */
export type CommandGroup = (program: Command, session: Session) => void;

/** Adds examples to the help of a command, and a pointer to them to its errors. */
export function withExamples(command: Command, examples: readonly string[]): Command {
  const names: string[] = [];
  for (let at: Command | null = command; at !== null; at = at.parent) names.unshift(at.name());
  return command
    .addHelpText("after", `\nExamples:\n${examples.map((example) => `  $ ${example}`).join("\n")}`)
    .showHelpAfterError(`hint: ${names.join(" ")} --help has the options and examples`);
}
