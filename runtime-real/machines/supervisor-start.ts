/** How the supervisor of machines is started: as a unit of systemd, or as a process of its own. */
import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { systemctl } from "./manager.ts";
import type { UnitFiles } from "./unit-files.ts";

const PROGRAM = fileURLToPath(new URL("./supervisor.ts", import.meta.url));
export const START_LIMIT_MS = 20_000;

/** Resolves to what tells why it does not come up; null: nothing is known to be wrong. */
export type Start = () => Promise<() => string | null>;

export async function startAsUnit(units: UnitFiles): Promise<() => string | null> {
  const { name } = units.manager;
  // The directory of its file may be new to systemd, and the file another one than before.
  await systemctl(name, ["daemon-reload"]);
  const { ok, said } = await systemctl(name, ["start", units.supervisor]);
  return () => (ok ? null : said);
}

export function startDetached(folder: string): Promise<() => string | null> {
  const errors = openSync(join(folder, "supervisor.log"), "a", 0o600);
  // Waits for the machines of one that has died: they hold its lock until the kernel has ended them.
  const child = spawn(
    "flock",
    ["--no-fork", "--wait", `${START_LIMIT_MS / 1000}`, "supervisor.lock", process.execPath, PROGRAM, folder],
    { cwd: folder, detached: true, stdio: ["ignore", errors, errors], env: { PATH: process.env["PATH"] } },
  );
  closeSync(errors);
  let end: string | null = null;
  child.once("error", (error) => {
    end = error.message;
  });
  child.once("exit", (code, signal) => {
    end = `it has ended with ${signal ?? `exit code ${code}`}; supervisor.log may say why`;
  });
  child.unref();
  return Promise.resolve(() => end);
}
