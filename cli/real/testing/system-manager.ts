/**
 * A systemd manager as the first process of namespaces of its own (processes, mounts, control groups), for tests. It
 * knows the units that a host needs at least, and those that are made while it runs. Needs root and control groups of
 * version 2.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { until } from "./real-cluster.ts";

const UNITS = "/lib/systemd/system";
/** What makes a host, without what makes it one of this distribution. */
const COPIED = [
  ...["sysinit.target", "basic.target", "shutdown.target", "umount.target", "final.target", "exit.target"],
  ...["systemd-exit.service", "systemd-journald.service", "systemd-journald.socket", "systemd-journald-dev-log.socket"],
];

/** The real `/proc/sys` and the machine's own units stay as they are. */
const BOOT = `
set -e
mount --make-rprivate /
mount -t proc proc /proc
mount -o bind /proc/sys /proc/sys
mount -o remount,bind,ro /proc/sys
mount -t tmpfs tmpfs /run
mkdir -p /run/systemd/system /run/lock /run/units
for unit in ${COPIED.join(" ")}; do cp ${UNITS}/$unit /run/units/; done
sed -i '/^Requires=sysinit.target$/!s/^Wants=.*//' /run/units/basic.target /run/units/sysinit.target
echo 'Wants=systemd-journald.service' >>/run/units/sysinit.target
mount -o bind /run/units ${UNITS}
mount -t tmpfs tmpfs /etc/systemd/system
umount -R /sys/fs/cgroup 2>/dev/null || true
mount -t cgroup2 cgroup2 /sys/fs/cgroup
exec env -i PATH="$PATH" container=test /lib/systemd/systemd --system --unit=basic.target --log-target=null --show-status=no
`;

export class SystemManager {
  readonly #cgroup: string;
  readonly #child: ChildProcess;
  readonly #pid: number;

  private constructor(cgroup: string, child: ChildProcess, pid: number) {
    this.#cgroup = cgroup;
    this.#child = child;
    this.#pid = pid;
  }

  /** Resolves when units can be started. */
  static async start(): Promise<SystemManager> {
    const unified = "/sys/fs/cgroup/unified";
    const cgroup = join(existsSync(unified) ? unified : "/sys/fs/cgroup", `blixard-test-${process.pid}-${Date.now()}`);
    mkdirSync(cgroup);
    const enter = `echo $$ >${cgroup}/cgroup.procs; exec unshare --mount --cgroup --pid --fork bash -c "$0"`;
    const child = spawn("bash", ["-c", enter, BOOT], { stdio: ["ignore", "ignore", "inherit"] });
    await until(() => childOf(child.pid ?? 0) !== null);
    const manager = new SystemManager(cgroup, child, childOf(child.pid ?? 0) ?? 0);
    await until(() => manager.try("systemctl", "is-active", "sysinit.target").trim() === "active");
    return manager;
  }

  /** Words before a command that runs under it. */
  get #prefix(): readonly string[] {
    return ["--target", `${this.#pid}`, "--mount", "--pid", "--cgroup"];
  }

  /** @throws Error when it fails. */
  run(...command: readonly string[]): string {
    return execFileSync("nsenter", [...this.#prefix, ...command], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    });
  }

  /** What it prints, whether it fails or not. */
  try(...command: readonly string[]): string {
    const { stdout, stderr } = spawnSync("nsenter", [...this.#prefix, ...command], { encoding: "utf8" });
    return stdout + stderr;
  }

  show(unit: string, property: string): string {
    return this.run("systemctl", "show", "--property", property, "--value", unit).trim();
  }

  write(unit: string, lines: readonly string[]): void {
    const path = `/run/systemd/system/${unit}`;
    this.run("sh", "-c", 'printf "%s\\n" "$@" >"$0"', path, ...lines);
  }

  /** As a host shuts down: units are stopped in order. */
  async shutDown(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once("exit", resolve));
    this.try("systemctl", "exit");
    await ended;
    this.#removeGroup();
  }

  /** All at once. */
  async destroy(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const ended = new Promise((resolve) => this.#child.once("exit", resolve));
      process.kill(this.#pid, "SIGKILL");
      await ended;
    }
    this.#removeGroup();
  }

  #removeGroup(): void {
    if (existsSync(this.#cgroup)) removeGroup(this.#cgroup);
  }
}

/** From the leaves on: there are no files in it to remove. */
function removeGroup(path: string): void {
  for (const entry of readdirSync(path, { withFileTypes: true }))
    if (entry.isDirectory()) removeGroup(join(path, entry.name));
  rmdirSync(path);
}

function childOf(pid: number): number | null {
  const path = `/proc/${pid}/task/${pid}/children`;
  const [child = ""] = existsSync(path) ? readFileSync(path, "utf8").trim().split(" ") : [];
  // Before that it is the shell, which becomes the manager.
  return child !== "" && readFileSync(`/proc/${child}/comm`, "utf8") === "systemd\n" ? Number(child) : null;
}
