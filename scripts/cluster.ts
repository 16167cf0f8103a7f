/**
 * A cluster of three nodes on loopback in one terminal, to try things out: logs in colour, and a prompt that takes
 * blixard's own commands. Its data stays in ./data, ./data-2 and ./data-3, so that the next start resumes it.
 * `npx blixard ...` in another terminal reaches node 1 without any flag.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createInterface, type Interface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs, styleText } from "node:util";
import { prettyFactory } from "pino-pretty";
import { z } from "zod";

const blixard = join(import.meta.dirname, "..", "cli", "blixard.js");
const colours = ["cyan", "magenta", "yellow"] as const;

const { values } = parseArgs({
  options: { "base-port": { type: "string", default: "7001" }, dir: { type: "string", default: "data" } },
});
const basePort = Number(values["base-port"]);
if (!Number.isInteger(basePort) || basePort < 1 || basePort > 65_533) {
  console.error("error: --base-port must be a port number, such as 7001");
  process.exit(2);
}

const pretty = prettyFactory({
  colorize: process.stdout.isTTY || process.env["FORCE_COLOR"] !== undefined,
  translateTime: "SYS:HH:MM:ss.l",
  ignore: "pid,hostname,node,clusterId,peerId,api,apiTcp,addresses,transport",
  singleLine: true,
});

let prompt: Interface | null = null;

function show(line: string): void {
  // Draws the prompt again below the new line.
  if (prompt !== null && process.stdout.isTTY) process.stdout.write("\r\u001b[K");
  process.stdout.write(`${line}\n`);
  if (prompt !== null && process.stdout.isTTY) prompt.prompt(true);
}

class Member {
  readonly id: number;
  readonly dataDir: string;
  #child: ChildProcess | null = null;
  #ended: Promise<void> = Promise.resolve();

  constructor(id: number) {
    this.id = id;
    this.dataDir = id === 1 ? values.dir : `${values.dir}-${id}`;
  }

  get runs(): boolean {
    return this.#child !== null;
  }

  get isNew(): boolean {
    return !existsSync(join(this.dataDir, "blixard.db"));
  }

  /** Resolves when it is up; rejects when it ends before. */
  start(extra: readonly string[] = []): Promise<void> {
    const first = this.isNew ? ["--id", `${this.id}`, "--bind", `127.0.0.1:${basePort + this.id - 1}`, ...extra] : [];
    // A group of its own: Ctrl-C in this terminal reaches the script, which stops the nodes in order.
    const child = spawn(
      process.execPath,
      [blixard, "node", "--data-dir", this.dataDir, "--log-format", "json", ...first],
      {
        stdio: ["ignore", "ignore", "pipe"],
        detached: true,
      },
    );
    this.#child = child;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    let lastWords = "";
    createInterface({ input: child.stderr }).on("line", (line) => {
      if (!line.startsWith("{") && line.startsWith("error")) lastWords = line;
      this.#show(line);
      if (line.includes('"msg":"node is up"')) resolve();
    });
    this.#ended = new Promise((ended) => {
      child.once("exit", (code, signal) => {
        this.#child = null;
        show(styleText("red", `node ${this.id} has ended (${signal ?? code})`));
        reject(new Error(`node ${this.id} ended before it was up: ${lastWords}`));
        ended();
      });
    });
    // Has no effect on a node that has been up: its promise is settled.
    promise.catch(() => undefined);
    return promise;
  }

  async stop(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    this.#child?.kill(signal);
    await this.#ended;
  }

  kill(): void {
    this.#child?.kill("SIGKILL");
  }

  #show(line: string): void {
    const tag = styleText(colours[(this.id - 1) % colours.length] ?? "white", `node ${this.id} `);
    show(tag + (line.startsWith("{") ? pretty(line).trimEnd() : line));
  }
}

const members = [new Member(1), new Member(2), new Member(3)];

/** Runs a command line of blixard against the first node that is up. Prints its output, or returns it. */
function run(args: readonly string[], capture: boolean): Promise<{ readonly code: number; readonly out: string }> {
  const dataDir = members.find(({ runs }) => runs)?.dataDir ?? values.dir;
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [blixard, ...args], {
      stdio: ["ignore", capture ? "pipe" : "inherit", "inherit"],
      env: { BLIXARD_DATA_DIR: dataDir, ...process.env },
    });
    let out = "";
    child.stdout?.on("data", (chunk) => {
      out += String(chunk);
    });
    child.once("close", (code) => resolve({ code: code ?? 1, out }));
  });
}

async function startAll(): Promise<void> {
  for (const member of members) {
    if (member.id === 1 || !member.isNew) {
      await member.start();
      continue;
    }
    const { code, out } = await run(["token", "create", "--for-node", `${member.id}`, "--ttl", "10m", "--json"], true);
    const made: unknown = code === 0 ? JSON.parse(out) : null;
    if (typeof made !== "object" || made === null || !("token" in made) || typeof made.token !== "string")
      throw new Error("node 1 made no token");
    await member.start(["--join", `127.0.0.1:${basePort}`, "--token", made.token]);
  }
  await allVote();
}

const statusSchema = z.object({
  members: z.array(z.object({ role: z.string(), connected: z.boolean() })),
  quorum: z.object({ isJoint: z.boolean() }),
});

/** Waits until every node is a voter and knows that all are. Before that, killing one could lose the quorum. */
async function allVote(): Promise<void> {
  const knows = async ({ dataDir }: Member): Promise<boolean> => {
    const { code, out } = await run(["cluster", "status", "--json", "--data-dir", dataDir], true);
    if (code !== 0) return false;
    const { members: seen, quorum } = statusSchema.parse(JSON.parse(out));
    const voters = seen.filter(({ role, connected }) => role === "voter" && connected);
    return voters.length === members.length && !quorum.isJoint;
  };
  while (!(await Promise.all(members.map(knows))).every(Boolean)) await delay(100);
}

async function stopAll(): Promise<void> {
  // All at the same time: the last nodes would have no majority to which they could transfer leadership.
  await Promise.all(members.map((member) => member.stop("SIGTERM")));
}

const HELP = `Type blixard's commands, without its name: vm create --name web --no-wait, vm list, worker list, cluster status, events
and: kill N (as kill -9), start N, help, quit. Ctrl-C stops everything.`;

async function obey(line: string): Promise<void> {
  const words = line
    .trim()
    .split(/\s+/)
    .filter((word) => word !== "");
  const [verb = "", number = ""] = words;
  const member = members.find(({ id }) => `${id}` === number);
  if (verb === "") return;
  if (verb === "help") show(HELP);
  else if ((verb === "kill" || verb === "start") && member === undefined) show(`which node? ${verb} 1, 2 or 3`);
  else if (verb === "kill" && member !== undefined) await member.stop("SIGKILL");
  else if (verb === "start" && member?.runs === true) show(`node ${member.id} runs already`);
  else if (verb === "start" && member !== undefined) await member.start();
  else if (verb === "sim" || verb === "node") show(`${verb} is no command for a running cluster: use another terminal`);
  else await run(words, false);
}

let isEnding = false;
function end(code: number): void {
  if (isEnding) return;
  isEnding = true;
  void stopAll().then(() => process.exit(code));
}
// However this process ends, no node outlives it.
process.on("exit", () => {
  for (const member of members) member.kill();
});
process.on("SIGINT", () => end(0));
process.on("SIGTERM", () => end(0));

try {
  await startAll();
} catch (error) {
  console.error(`error: ${error instanceof Error ? error.message : String(error)}`);
  console.error("hint: the lines above say why; another cluster on the same ports? --base-port takes another");
  await stopAll();
  process.exit(1);
}
show(styleText("green", `three nodes are up. ${HELP}`));
prompt = createInterface({
  input: process.stdin,
  output: process.stdout,
  prompt: "blixard> ",
  terminal: process.stdin.isTTY,
});
prompt.prompt();
prompt.on("SIGINT", () => end(0));
let isInputOver = false;
let last: Promise<void> = Promise.resolve();
prompt.on("line", (line) => {
  if (line.trim() === "quit" || line.trim() === "exit") {
    last = last.then(() => end(0));
    return;
  }
  last = last
    .then(() => obey(line))
    .catch((error: unknown) => show(styleText("red", error instanceof Error ? error.message : String(error))))
    .then(() => {
      if (!isInputOver) prompt?.prompt();
    });
});
// Piped input has an end; a terminal has Ctrl-D.
prompt.on("close", () => {
  isInputOver = true;
  last = last.then(() => end(0));
});
