/**
 * Options that follow from definitions of the core. The core is loaded only when a command that has such options is
 * used: help, and every other command, starts without it.
 */
import type { Command } from "commander";

const late = new WeakMap<Command, () => Promise<void>>();

/** @param add called once, before the command reads its arguments. */
export function withLateOptions(command: Command, add: (command: Command) => Promise<void>): Command {
  late.set(command, () => add(command));
  command.parent?.hook("preSubcommand", async (_, chosen) => {
    if (chosen === command) await addLateOptions(command);
  });
  return command;
}

/** Of the command and of all below it. */
export async function addLateOptions(command: Command): Promise<void> {
  const add = late.get(command);
  late.delete(command);
  await add?.();
  for (const child of command.commands) await addLateOptions(child);
}

/** `help COMMAND` as Commander has it, for a group whose commands have late options: Commander's own does not wait. */
export function withLateHelp(group: Command): void {
  group.helpCommand(false);
  group
    .command("help")
    .argument("[command]")
    .description("display help for command")
    .action(async (name: string | undefined) => {
      const chosen = group.commands.find((command) => command.name() === name) ?? group;
      if (chosen !== group) await addLateOptions(chosen);
      chosen.help();
    });
}
