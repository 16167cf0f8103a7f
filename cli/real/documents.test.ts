/** Every command in the manuals works as written, with a shorter duration. */
import { spawn, spawnSync } from "node:child_process";
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, test } from "vitest";
import { blixard } from "../testing/index.ts";

const root = join(import.meta.dirname, "..", "..");
const command = join(root, "cli", "blixard.js");

/** Commands that other tests cover, or that run these tests. */
const notRun = [
  /^npm (install|test|run (check|types|lint|format|walls|bench))\b/,
  /^npx vitest\b/,
  /^node scripts\/determinism\.ts\b/,
];

interface Fence {
  readonly language: string;
  /** The file that the fence shows, if it says so. */
  readonly file: string | null;
  readonly lines: readonly string[];
}

function fencesOf(text: string): Fence[] {
  return Array.from(text.matchAll(/^```(\w+)(?: (\S+))?\n(.*?)^```$/gms), ([, language = "", file, body = ""]) => ({
    language,
    file: file ?? null,
    lines: body.trimEnd().split("\n"),
  }));
}

/** The words after `blixard`, with shorter durations. Null: a command that is not run here. */
function argumentsOf(line: string): string[] | null {
  const text = line.replace(/^npm install && /, "");
  if (notRun.some((pattern) => pattern.test(text))) return null;
  const ours = /^(?:npx blixard|npm run (?:--silent )?(sim) --) (.*)$/.exec(text);
  if (ours === null) throw new Error(`not a command that this test knows: ${line}`);
  const [, sim, words = ""] = ours;
  const args = [...(sim === undefined ? [] : [sim]), ...words.split(" ")];
  if (!args.includes("sweep")) return args;
  // All scenarios are too many here: one of them fills a cluster of 1,000 workers first.
  const few = args.at(args.indexOf("sweep") + 1)?.startsWith("--") === true ? ["calm", "swarm", "host-loss"] : [];
  return [...args.map((word) => word.replace(/^(\d+)\.\.\d+$/, "$1..$1")), ...few, "--duration", "500ms"];
}

/** Commands that ask a node. */
const asksNode = /^npx blixard (cluster|worker|vm|task|quota|ip-pool|scheduler|rebalance|token|events|audit)\b/;

/** Commands that change nothing, so that they can be run once more. */
const reads = /^npx blixard (.*\b(list|show|get|usage|plan|status|members)|rebalance)\b/;

/** From the table that documents JSON, the fields of the object that each command prints. */
function fieldsOf(text: string): ReadonlyMap<string, readonly string[]> {
  const [, table = ""] = text.split("| command | fields |\n|---|---|\n");
  const namesIn = (cell: string): string[] => Array.from(cell.matchAll(/`([^`]+)`/g), ([, name = ""]) => name);
  return new Map(
    Array.from(table.matchAll(/^\| (.*?) \| (.*) \|$/gm), ([, commands = "", fields = ""]) => {
      const own = namesIn(fields.replaceAll(/\([^)]*\)/g, "")).sort();
      return namesIn(commands).map((name) => [name, own] as const);
    }).flat(),
  );
}

/** A node in the folder's ./data, for as long as the commands run. */
async function nodeIn(folder: string): Promise<() => Promise<void>> {
  const child = spawn(
    process.execPath,
    [command, "node", "--id", "1", "--bind", "127.0.0.1:0", "--log-format", "json"],
    {
      cwd: folder,
      stdio: ["ignore", "ignore", "pipe"],
    },
  );
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  await new Promise<void>((resolve, reject) => {
    createInterface({ input: child.stderr }).on("line", (line) => {
      if (line.includes("leads the cluster")) resolve();
    });
    child.once("close", (code) => reject(new Error(`the node ended: ${code}`)));
  });
  return async () => {
    child.kill("SIGTERM");
    await ended;
  };
}

const documents = ["README.md", "CONTRIBUTING.md", ...globSync("docs/**/*.md", { cwd: root }).sort()];

test.each(documents)("%s", { timeout: 900_000 }, async (document) => {
  const folder = mkdtempSync(join(tmpdir(), "blixard-test-"));
  let stop: (() => Promise<void>) | null = null;
  try {
    const text = readFileSync(join(root, document), "utf8");
    const fences = fencesOf(text);
    const documented = fieldsOf(text);
    for (const { file, lines } of fences) if (file !== null) writeFileSync(join(folder, file), `${lines.join("\n")}\n`);
    const commands = fences.filter(({ language }) => language === "sh").flatMap(({ lines }) => lines);
    const checked = new Set<string>();
    if (commands.some((line) => asksNode.test(line))) stop = await nodeIn(folder);
    for (const line of commands) {
      const args = argumentsOf(line);
      if (args === null) continue;
      const { status, stderr } = spawnSync(process.execPath, [command, ...args], { cwd: folder, encoding: "utf8" });
      expect({ line, status, stderr: status === 0 ? "" : stderr }).toEqual({ line, status: 0, stderr: "" });
      const named = Array.from(documented).find(([name]) => args.join(" ").startsWith(name));
      if (named === undefined || !reads.test(line)) continue;
      const json = spawnSync(process.execPath, [command, ...args, "--json"], { cwd: folder, encoding: "utf8" });
      expect({ line, fields: Object.keys(JSON.parse(json.stdout)).sort() }).toEqual({ line, fields: named[1] });
      checked.add(named[0]);
    }
    const readable = [...documented.keys()].filter((name) => reads.test(`npx blixard ${name}`));
    expect([...checked].sort()).toEqual(readable.sort());
  } finally {
    await stop?.();
    rmSync(folder, { recursive: true, force: true });
  }
});

/** The commands below this one, read from the help. The command itself where there are none. */
async function commandsOf(path: readonly string[]): Promise<readonly string[]> {
  const { out } = await blixard([...path, "--help"]);
  const [, listed = ""] = /^Commands:\n((?: .*\n?)*)/m.exec(out) ?? [];
  const names = Array.from(listed.matchAll(/^ {2}(\S+)/gm), ([, name = ""]) => name).filter((name) => name !== "help");
  if (names.length === 0) return [path.join(" ")];
  return (await Promise.all(names.map((name) => commandsOf([...path, name])))).flat();
}

test("the manual has every command, with what it prints as JSON", async () => {
  // Commands that run in the foreground, and commands with a manual of their own.
  const elsewhere = /^(node|sim|completion)\b/;
  const commands = (await commandsOf([])).filter((name) => !elsewhere.test(name));
  const documented = fieldsOf(readFileSync(join(root, "docs", "cli.md"), "utf8"));
  expect([...documented.keys()].sort()).toEqual(commands.toSorted());
});
