/** `blixard completion`: a shell's script, made from the commands themselves. */
import { type Command, Option } from "commander";
import { type ApiClient, connectApi } from "../../runtime-real/index.ts";
import { dataDirOption, targetOf } from "../client/index.ts";
import { addLateOptions, type CommandGroup, withExamples } from "../frame/index.ts";

const SHELLS = ["bash", "zsh", "fish"] as const;

/** Names that only a node knows: an argument or option of this name takes one of them. */
const KINDS = ["vm", "node", "worker", "task", "pool", "tenant"] as const;
type Kind = (typeof KINDS)[number];

const OPTIONS: Readonly<Record<string, Kind>> = {
  "--node": "node",
  "--to": "node",
  "--for-node": "node",
  "--worker": "worker",
  "--network": "pool",
  "--tenant": "tenant",
};

export const registerCompletion: CommandGroup = (program, session) => {
  withExamples(program.command("completion"), [
    "source <(blixard completion bash)",
    "blixard completion zsh > ~/.zfunc/_blixard",
    "blixard completion fish > ~/.config/fish/completions/blixard.fish",
  ])
    .description(
      "Print a shell completion script. Names complete too: of VMs, nodes, workers, tasks, address pools and tenants.",
    )
    .argument("[shell]", "bash, zsh or fish", "bash")
    .addOption(dataDirOption())
    .addOption(new Option("--names <kind>", "print what there is, for the script itself").choices(KINDS).hideHelp())
    .action(async (shell: string, options: { readonly dataDir: string; readonly names?: Kind }) => {
      const { terminal } = session;
      if (options.names !== undefined) {
        for (const name of await namesOf(options.names, options.dataDir)) terminal.out(name);
        return;
      }
      const chosen = SHELLS.find((known) => known === shell);
      if (chosen === undefined)
        program.error(`error: no script for ${shell}: give ${SHELLS.join(", ")}`, { exitCode: 2 });
      else {
        await addLateOptions(program);
        terminal.out(scriptFor(chosen, program));
      }
    });
};

/** Silent when no node answers: completing must never print an error. */
async function namesOf(kind: Kind, dataDir: string): Promise<readonly string[]> {
  const api = connectApi(targetOf({ dataDir }));
  try {
    return await namesFrom(api, kind, { timeoutMs: 500 });
  } catch {
    return [];
  } finally {
    await api.close();
  }
}

async function namesFrom(
  api: ApiClient,
  kind: Kind,
  limits: { readonly timeoutMs: number },
): Promise<readonly string[]> {
  const stale = { stale: true };
  switch (kind) {
    case "vm":
      return (await api.read("vm.list", stale, limits)).vms.map(({ name }) => name);
    case "node":
      return (await api.call("cluster.status", {}, limits)).members.map(({ id }) => `${id}`);
    case "worker":
      return (await api.read("worker.list", stale, limits)).workers.map(({ id }) => `${id}`);
    case "task":
      return (await api.read("task.list", stale, limits)).tasks.map(({ id }) => id);
    case "pool":
      return (await api.read("ipPool.list", stale, limits)).pools.map(({ name }) => name);
    case "tenant":
      return (await api.read("quota.list", stale, limits)).tenants.map(({ tenant }) => tenant);
  }
}

interface Completed {
  /** The command's own words, without the program's. */
  readonly path: readonly string[];
  readonly commands: readonly string[];
  readonly flags: readonly string[];
  /** The kind of name that its first argument takes. */
  readonly names: Kind | null;
}

/** Every command with the words that may follow it. */
function commandsOf(command: Command, path: readonly string[] = []): Completed[] {
  const children = command.commands.filter((child) => child.name() !== "help");
  const flags = command.options.filter(({ hidden }) => !hidden).map(({ long }) => long ?? "");
  return [
    {
      path,
      commands: children.map((child) => child.name()),
      flags: [...flags, "--help"],
      names: KINDS.find((kind) => kind === command.registeredArguments[0]?.name()) ?? null,
    },
    ...children.flatMap((child) => commandsOf(child, [...path, child.name()])),
  ];
}

function scriptFor(shell: (typeof SHELLS)[number], program: Command): string {
  const all = commandsOf(program);
  if (shell === "fish") return fishScript(all);
  return shell === "bash"
    ? bashScript(all)
    : `#compdef blixard\nautoload -U +X bashcompinit && bashcompinit\n${bashScript(all)}`;
}

function fishScript(all: readonly Completed[]): string {
  return all
    .flatMap(({ path, commands, flags, names }) => {
      const within = path.map((word) => `__fish_seen_subcommand_from ${word}`);
      const before = commands.length === 0 ? [] : [`not __fish_seen_subcommand_from ${commands.join(" ")}`];
      const when = `complete -c blixard -n '${[...within, ...before].join("; and ")}'`;
      return [
        ...commands.map((word) => `${when} -f -a ${word}`),
        ...flags.map((flag) => {
          const kind = OPTIONS[flag];
          return `${when} -l ${flag.slice(2)}${kind === undefined ? "" : ` -x -a '(${asked(kind)})'`}`;
        }),
        ...(names === null ? [] : [`${when} -f -a '(${asked(names)})'`]),
      ];
    })
    .join("\n");
}

function asked(kind: Kind): string {
  return `blixard completion --names ${kind} 2>/dev/null`;
}

function bashScript(all: readonly Completed[]): string {
  const commands = all.filter((each) => each.commands.length > 0);
  const kinds = Object.entries(OPTIONS);
  return `_blixard() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" path="" word words=""
  local -i at
  for ((at = 1; at < COMP_CWORD; at++)); do
    word="\${COMP_WORDS[at]}"
    case " $(_blixard_commands "$path") " in *" $word "*) path="\${path:+$path }$word" ;; esac
  done
  case "$previous" in
${kinds.map(([flag, kind]) => `    ${flag}) words="$(${asked(kind)})" ;;`).join("\n")}
    *) words="$(_blixard_words "$path")" ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
_blixard_commands() {
  case "$1" in
${commands.map(({ path, commands: words }) => `    "${path.join(" ")}") echo "${words.join(" ")}" ;;`).join("\n")}
  esac
}
_blixard_words() {
  case "$1" in
${all.map(({ path, commands: words, flags, names }) => `    "${path.join(" ")}") echo "${[...words, ...flags].join(" ")}${names === null ? "" : ` $(${asked(names)})`}" ;;`).join("\n")}
  esac
}
complete -o default -F _blixard blixard`;
}
