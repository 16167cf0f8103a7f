/** The README's five-minute walk, word for word, at the prompt of `npm run cluster`. */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "..", "..");

/** What a reader types, in order. */
function typed(): string[] {
  const readme = readFileSync(join(root, "README.md"), "utf8");
  const fences = Array.from(readme.matchAll(/^```console\n(.*?)^```$/gms), ([, body = ""]) => body);
  return fences.flatMap((body) => Array.from(body.matchAll(/^blixard> (.*)$/gm), ([, line = ""]) => line));
}

/** Below the ports that the system gives to whoever dials out. */
const basePort = `${12_000 + (process.pid % 20_000)}`;

test("the README's walk works as it stands there", { timeout: 120_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), "blixard-test-"));
  try {
    const lines = typed();
    expect(lines).toContain("kill 1");
    const child = spawn(process.execPath, [join(root, "scripts", "cluster.ts"), "--base-port", basePort], {
      cwd: folder,
      stdio: ["pipe", "pipe", "pipe"],
    });
    const shown: string[] = [];
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => shown.push(String(chunk)));
    const ended = new Promise((resolve) => child.once("close", resolve));
    child.stdin.end(`${lines.join("\n")}\n`);
    expect(await ended).toBe(0);
    const text = shown.join("");
    const order = [
      "three nodes are up",
      "web created",
      "node 1 has ended (SIGKILL)",
      "db created",
      "VM web created",
      "VM db created",
    ];
    const places = order.map((words) => text.indexOf(words));
    expect({ places, shown: places.includes(-1) ? text : "" }).toEqual({
      places: places.toSorted((a, b) => a - b),
      shown: "",
    });
    expect(text).not.toContain("error:");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("Ctrl-C stops all three in order, and the next start goes on where they were", { timeout: 120_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), "blixard-test-"));
  /** Runs it until it has said all of this, each after typing what belongs to it; then sends the signal. */
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
    // A node that ends in order takes its socket with it.
    for (const dataDir of ["data", "data-2", "data-3"]) {
      expect(existsSync(join(folder, dataDir, "blixard.db"))).toBe(true);
      expect(existsSync(join(folder, dataDir, "api.sock"))).toBe(false);
    }
    expect(await life("SIGTERM", [up, ["vm list", "\nweb "]])).toBe(0);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
