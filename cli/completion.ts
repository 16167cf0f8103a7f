/** `blixard completion`: a shell's script, made from the commands themselves. */
import { type Command, Option } from "commander";
import { connectApi } from "../runtime-real/index.ts";
import { dataDirOption, targetOf } from "./client.ts";
import { type CommandGroup, withExamples } from "./group.ts";

const SHELLS = ["bash", "zsh", "fish"] as const;

export const registerCompletion: CommandGroup = (program, session) => {
  withExamples(program.command("completion"), [
    "source <(blixard completion bash)",
    "blixard completion zsh > ~/.zfunc/_blixard",
    "blixard completion fish > ~/.config/fish/completions/blixard.fish",
  ])
    .description("Print a shell completion script. Names of VMs and numbers of nodes complete too.")
    .argument("[shell]", "bash, zsh or fish", "bash")
    .addOption(dataDirOption())
    .addOption(
      new Option("--names <kind>", "print what there is, for the script itself").choices(["vm", "node"]).hideHelp(),
    )
    .action(async (shell: string, options: { readonly dataDir: string; readonly names?: "vm" | "node" }) => {
      const { terminal } = session;
      if (options.names !== undefined) {
        for (const name of await namesOf(options.names, options.dataDir)) terminal.out(name);
        return;
      }
      const chosen = SHELLS.find((known) => known === shell);
      if (chosen === undefined)
        program.error(`error: no script for ${shell}: give ${SHELLS.join(", ")}`, { exitCode: 2 });
      else terminal.out(scriptFor(chosen, program));
    });
};

/** Silent when no node answers: completing must never print an error. */
async function namesOf(kind: "vm" | "node", dataDir: string): Promise<readonly string[]> {
  const api = connectApi(targetOf({ dataDir }));
  try {
    if (kind === "vm")
      return (await api.read("vm.list", { stale: true }, { timeoutMs: 500 })).vms.map(({ name }) => name);
    return (await api.call("cluster.status", {}, { timeoutMs: 500 })).members.map(({ id }) => `${id}`);
  } catch {
    return [];
  } finally {
    await api.close();
  }
}

interface Completed {
  /** Words of the command, without the program's own. */
  readonly path: string;
  readonly words: readonly string[];
  /** What its argument names. */
  readonly names: "vm" | null;
}

/** Every command with what may follow it. */
function commandsOf(command: Command, path: readonly string[] = []): Completed[] {
  const children = command.commands.filter((child) => child.name() !== "help");
  const flags = command.options.filter(({ hidden }) => !hidden).map(({ long }) => long ?? "");
  const words = [...children.map((child) => child.name()), ...flags, "--help"];
  const names = path[0] === "vm" && command.registeredArguments[0]?.name() === "name" ? "vm" : null;
  return [
    { path: path.join(" "), words, names },
    ...children.flatMap((child) => commandsOf(child, [...path, child.name()])),
  ];
}

const NODE_OPTIONS = "--node|--to|--for-node";

function scriptFor(shell: (typeof SHELLS)[number], program: Command): string {
  const commands = commandsOf(program);
  if (shell === "fish") {
    return commands
      .flatMap(({ path, words, names }) => {
        const seen =
          path === "" ? "__fish_use_subcommand" : `__fish_seen_subcommand_from ${path.split(" ").at(-1) ?? ""}`;
        const lines = words.map((word) =>
          word.startsWith("--")
            ? `complete -c blixard -n '${seen}' -l ${word.slice(2)}`
            : `complete -c blixard -f -n '${seen}' -a ${word}`,
        );
        return names === null
          ? lines
          : [...lines, `complete -c blixard -f -n '${seen}' -a '(blixard completion --names ${names} 2>/dev/null)'`];
      })
      .join("\n");
  }
  const cases = commands.map(({ path, words, names }) => {
    const more = names === null ? "" : ` $(blixard completion --names ${names} 2>/dev/null)`;
    return `    "${path}") words="${words.join(" ")}${more}" ;;`;
  });
  const body = `_blixard() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" path="" word words=""
  local -i at
  for ((at = 1; at < COMP_CWORD; at++)); do
    word="\${COMP_WORDS[at]}"
    case "$path" in
      "") case " ${commands[0]?.words.filter((word) => !word.startsWith("-")).join(" ") ?? ""} " in *" $word "*) path="$word" ;; esac ;;
      *" "*) ;;
      *) case " $(_blixard_words "$path") " in *" $word "*) [[ "$word" == -* ]] || path="$path $word" ;; esac ;;
    esac
  done
  case "$previous" in
    ${NODE_OPTIONS}) words="$(blixard completion --names node 2>/dev/null)" ;;
    *) words="$(_blixard_words "$path")" ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
_blixard_words() {
  local words=""
  case "$1" in
${cases.join("\n")}
  esac
  echo "$words"
}
complete -o default -F _blixard blixard`;
  return shell === "bash" ? body : `#compdef blixard\nautoload -U +X bashcompinit && bashcompinit\n${body}`;
}
