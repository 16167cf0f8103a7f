/** The systemd manager that the units of VMs belong to. */
import { existsSync } from "node:fs";
import { userInfo } from "node:os";
import { execa } from "execa";

export interface Manager {
  readonly name: "system" | "user";
  /** Where units are that are gone when the host boots. */
  readonly unitFolder: string;
}

export type ManagerName = Manager["name"];

/** For a command of systemctl. */
const LIMIT_MS = 30_000;

export function managerOf(name: ManagerName): Manager {
  const unitFolder = name === "system" ? "/run/systemd/system" : `${runtimeFolder()}/systemd/user`;
  return { name, unitFolder };
}

/**
 * That of the system for a node that is root, and that of its user for others. Null: none answers, and machines are
 * processes without units.
 */
export async function findManager(): Promise<Manager | null> {
  for (const name of ["system", "user"] as const) {
    if (name === "system" && process.getuid?.() !== 0) continue;
    const { ok } = await systemctl(name, ["show", "--property=Version"]);
    if (ok) return managerOf(name);
  }
  return null;
}

/** Whether the manager goes on when its user has logged out. */
export function outlivesLogins({ name }: Manager): boolean {
  return name === "system" || existsSync(`/var/lib/systemd/linger/${userInfo().username}`);
}

/** `said`: what it wrote on its standard error. Never rejects. */
export async function systemctl(
  manager: ManagerName,
  args: readonly string[],
): Promise<{ readonly ok: boolean; readonly said: string }> {
  const { failed, stderr, shortMessage } = await execa("systemctl", [`--${manager}`, ...args], {
    reject: false,
    cleanup: false,
    timeout: LIMIT_MS,
    env: { XDG_RUNTIME_DIR: runtimeFolder() },
  });
  return { ok: !failed, said: stderr?.trim() === "" ? (shortMessage ?? "") : (stderr?.trim() ?? "") };
}

function runtimeFolder(): string {
  return process.env["XDG_RUNTIME_DIR"] ?? `/run/user/${process.getuid?.() ?? 0}`;
}
