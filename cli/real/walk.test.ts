/** The README's five-minute walk, word for word, at the prompt of `npm run cluster`. */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
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

test("the README's walk works as it stands there", { timeout: 120_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), "blixard-test-"));
  try {
    const lines = typed();
    expect(lines).toContain("kill 1");
    const child = spawn(
      process.execPath,
      [join(root, "scripts", "cluster.ts"), "--base-port", `${20_000 + (process.pid % 20_000)}`],
      {
        cwd: folder,
        stdio: ["pipe", "pipe", "pipe"],
      },
    );
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
