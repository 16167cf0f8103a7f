/** Tests that need a real process: exit codes, streams and signals. */
import { spawn, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const command = fileURLToPath(new URL("./blixard.js", import.meta.url));
const environment = { ...process.env, NO_COLOR: undefined, FORCE_COLOR: undefined, NODE_OPTIONS: "" };

function blixard(...args: readonly string[]) {
  return spawnSync(process.execPath, [command, ...args], { encoding: "utf8", env: environment });
}

test("exit codes reach the shell, errors go to stderr, and nothing is coloured in a pipe", () => {
  const holds = blixard("sim", "--seed", "12345", "byzantine", "--duration", "2s");
  expect([holds.status, holds.stderr]).toEqual([0, ""]);
  expect(holds.stdout).toMatch(/^scenario +byzantine\n/);
  expect(holds.stdout).toMatch(/\nresult +holds\n$/);

  const usage = blixard("sim", "byzantin");
  expect([usage.status, usage.stdout]).toEqual([2, ""]);
  expect(usage.stderr).toMatch(/^error: there is no scenario "byzantin"\nhint: did you mean byzantine\?/);

  expect(blixard("sim", "check-history", "none.jsonl").status).toBe(1);
});

test("Ctrl-C prints what was done so far and exits with 130", async () => {
  const child = spawn(process.execPath, [command, "sim", "calm", "--seed", "1", "--duration", "300d", "--verbose"], {
    env: environment,
  });
  let out = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    // Its first line shows that it runs, and handles signals.
    if (out === "") child.kill("SIGINT");
    out += text;
  });
  const code = await new Promise((resolve) => child.on("close", resolve));
  expect(out).toMatch(/\nresult +interrupted at virtual time .*nothing violated until then\n$/);
  expect(code).toBe(130);
});

test("a reader that went away is no error", async () => {
  const child = spawn(process.execPath, [command, "sim", "calm", "--seed", "1", "--duration", "2m", "--verbose"], {
    env: environment,
  });
  child.stdout.destroy();
  let err = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    err += text;
  });
  const code = await new Promise((resolve) => child.on("close", resolve));
  expect([code, err]).toEqual([0, ""]);
});
