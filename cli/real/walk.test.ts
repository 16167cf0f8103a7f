/** The README's five-minute walk, word for word, at the prompt of `npm run cluster`. */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir, type } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { until } from "./testing/index.ts";

const root = join(import.meta.dirname, "..", "..");

/** What a reader types, in order. */
function typed(): string[] {
  const readme = readFileSync(join(root, "README.md"), "utf8");
  const fences = Array.from(readme.matchAll(/^```console\n(.*?)^```$/gms), ([, body = ""]) => body);
  return fences.flatMap((body) => Array.from(body.matchAll(/^blixard> (.*)$/gm), ([, line = ""]) => line));
}

/** Below the range from which the system takes ports of outgoing connections. */
const basePort = `${12_000 + (process.pid % 20_000)}`;

/** Each line of the walk, with its output. Some lines are repeated until they show it; the others show it at once. */
const walk: readonly { readonly line: string; readonly shows: readonly RegExp[]; readonly inTheEnd?: true }[] = [
  { line: "cluster status", shows: [/node 1 leads/] },
  { line: "scheduler set --cpu 4", shows: [/CPU × 4/] },
  { line: "worker list", shows: [1, 2, 3].map((id) => row(id, "online", "none")), inTheEnd: true },
  { line: "vm plan --vcpus 1 --memory 256 --disk 1", shows: [/would go to worker \d, and stay Scheduled/] },
  { line: "vm create --name web --vcpus 1 --memory 256 --disk 1 --no-wait", shows: [/web created/] },
  { line: "vm create --name db --vcpus 1 --memory 256 --disk 1 --no-wait", shows: [/db created/] },
  { line: "vm list", shows: ["db", "web"].map((name) => placed(name, "123")), inTheEnd: true },
  { line: "task submit uname -a", shows: [new RegExp(type())] },
  { line: "worker drain 2", shows: [/worker 2 is empty/] },
  { line: "vm list", shows: ["db", "web"].map((name) => placed(name, "13")), inTheEnd: true },
  { line: "worker uncordon 2", shows: [/worker 2 takes VMs again/] },
  { line: "kill 1", shows: [/node 1 has ended \(SIGKILL\)/] },
  { line: "vm create --name cache --vcpus 1 --memory 256 --disk 1 --no-wait", shows: [/cache created/] },
  { line: "worker list", shows: [row(1, "offline", "none")], inTheEnd: true },
  { line: "vm list", shows: ["cache", "db", "web"].map((name) => placed(name, "23")), inTheEnd: true },
  { line: "start 1", shows: [] },
  { line: "worker list", shows: [row(1, "online", "none")], inTheEnd: true },
  { line: "vm list --stale", shows: ["cache", "db", "web"].map((name) => placed(name, "23")), inTheEnd: true },
  { line: "events", shows: [/VM web created.*worker 2 is draining.*worker 1 is offline: lease ran out/s] },
];

/** A line of a table that begins with these words. */
function row(...words: readonly (string | number)[]): RegExp {
  return new RegExp(`^ *${words.join(" +")} `, "m");
}

function placed(name: string, workers: string): RegExp {
  return new RegExp(`^${name} +default +Scheduled +[${workers}] .*no VM driver there$`, "m");
}

/** The prompt answers this at once, so that its answer shows that the line before is done. */
const nonsense = "kill 9";
const answer = "which node?";

test("the README's walk works as it stands there", { timeout: 120_000 }, async () => {
  expect(typed()).toEqual([...walk.map(({ line }) => line), "quit"]);
  const folder = mkdtempSync(join(tmpdir(), "blixard-test-"));
  const child = spawn(process.execPath, [join(root, "scripts", "cluster.ts"), "--base-port", basePort], {
    cwd: folder,
    stdio: ["pipe", "pipe", "pipe"],
  });
  const ended = new Promise((resolve) => child.once("close", resolve));
  let shown = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk) => {
      shown += String(chunk);
    });
  const say = async (line: string): Promise<string> => {
    const from = shown.length;
    child.stdin.write(`${line}\n${nonsense}\n`);
    await until(() => shown.includes(answer, from) || child.exitCode !== null);
    return shown.slice(from);
  };
  try {
    for (const { line, shows, inTheEnd } of walk) {
      let heard = await say(line);
      const isShown = (): boolean => shows.every((words) => words.test(heard));
      while (inTheEnd === true && !isShown() && child.exitCode === null) heard = await say(line);
      expect({ line, isShown: isShown(), heard: isShown() ? "" : heard }).toEqual({ line, isShown: true, heard: "" });
      expect(heard).not.toContain("error:");
    }
    child.stdin.end("quit\n");
    expect(await ended).toBe(0);
  } finally {
    child.kill("SIGTERM");
    await ended;
    rmSync(folder, { recursive: true, force: true });
  }
});

test("Ctrl-C stops all three in order, and the next start goes on where they were", { timeout: 120_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), "blixard-test-"));
  /** Types each line and waits for its output; then sends the signal. */
  const life = async (
    signal: NodeJS.Signals,
    steps: readonly (readonly [string, string])[],
  ): Promise<number | null> => {
    const child = spawn(process.execPath, [join(root, "scripts", "cluster.ts"), "--base-port", basePort], {
      cwd: folder,
      stdio: ["pipe", "pipe", "pipe"],
    });
    let shown = "";
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (chunk) => {
        shown += String(chunk);
      });
    const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
    for (const [line, words] of steps) {
      if (line !== "") child.stdin.write(`${line}\n`);
      while (!shown.includes(words)) await new Promise((resolve) => setTimeout(resolve, 20));
    }
    child.kill(signal);
    return await ended;
  };
  try {
    const up = ["", "three nodes are up"] as const;
    expect(await life("SIGINT", [up, ["vm create --name web --no-wait", "web created"]])).toBe(0);
    // A node that stops in order removes its socket.
    for (const dataDir of ["data", "data-2", "data-3"]) {
      expect(existsSync(join(folder, dataDir, "blixard.db"))).toBe(true);
      expect(existsSync(join(folder, dataDir, "api.sock"))).toBe(false);
    }
    expect(await life("SIGTERM", [up, ["vm list", "\nweb "]])).toBe(0);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
