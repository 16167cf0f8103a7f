/** The `blixard` command: runs one command line, and turns errors into messages and exit codes. */
import { Command, CommanderError } from "commander";
import { COMMAND_GROUPS } from "./commands/index.ts";
import {
  EXIT,
  type ExitCode,
  FailureError,
  type Interrupt,
  type Session,
  UsageError,
  VERSION,
  withExamples,
} from "./frame/index.ts";
import type { Terminal } from "./output/index.ts";

/** Runs one command line, without the program's own name in front. */
export async function execute(
  args: readonly string[],
  terminal: Terminal,
  watchInterrupt: () => Interrupt,
): Promise<ExitCode> {
  let code: ExitCode = EXIT.holds;
  const session: Session = {
    terminal,
    watchInterrupt,
    end(ended) {
      code = ended;
    },
  };
  try {
    await programOf(session).parseAsync(args, { from: "user" });
    return code;
  } catch (error) {
    return explain(error, terminal);
  }
}

function programOf(session: Session): Command {
  const { terminal } = session;
  const program = withExamples(new Command("blixard"), [
    "blixard node --id 1",
    "blixard vm create --name web --vcpus 2 --memory 1024",
    "blixard sim --seed 12345 byzantine",
  ])
    .description("A cluster engine for microVMs whose every decision runs through its own deterministic simulator.")
    .version(VERSION, "-V, --version", "print the version")
    .helpOption("-h, --help", "print this help")
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.out(text.trimEnd()),
      writeErr: (text) => terminal.err(text.trimEnd()),
      outputError: (text, write) => write(text.replace(/^error:/, terminal.paintErr("red", "error:"))),
    });
  for (const register of COMMAND_GROUPS) register(program, session);
  return program;
}

function explain(error: unknown, terminal: Terminal): ExitCode {
  // Commander has printed it already.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.holds : EXIT.usage;
  if (error instanceof UsageError || error instanceof FailureError) {
    terminal.err(`${terminal.paintErr("red", "error:")} ${error.message}`);
    terminal.err(`hint: ${error.hint}`);
    return error instanceof UsageError ? EXIT.usage : EXIT.failed;
  }
  terminal.err(`${terminal.paintErr("red", "error:")} ${error instanceof Error ? error.stack : String(error)}`);
  terminal.err(
    "hint: this is a defect of blixard itself: report it with the lines above and the command that led here",
  );
  return EXIT.failed;
}
