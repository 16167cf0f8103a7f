/**
 * VMs of a node that is not root, as units of the manager of its user: a real one, as a service of a manager that the
 * test starts in namespaces of its own.
 */
import { execFileSync } from "node:child_process";
import { chownSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ApiClient } from "../../runtime-real/index.ts";
import { askOver, SystemManager, until } from "./testing/index.ts";

const blixard = join(import.meta.dirname, "..", "blixard.js");
/** nobody */
const UID = 65_534;
const RUNTIME = `/run/user/${UID}`;
const VM = "blixard-vm-web.service";

const folder = mkdtempSync(join(tmpdir(), "blixard-user-units-"));
const dataDir = join(folder, "node");
let systemd: SystemManager;

beforeAll(async () => {
  chownSync(folder, UID, UID);
  systemd = await SystemManager.start();
  const user = [
    ...["[Service]", `User=${UID}`, `Environment=XDG_RUNTIME_DIR=${RUNTIME}`, `Environment=HOME=${folder}`],
    `Environment="PATH=${process.env["PATH"]}"`,
  ];
  systemd.run("install", "-d", "-o", `${UID}`, "-m", "700", RUNTIME);
  const manager = ["/lib/systemd/systemd", "--user", "--unit=basic.target"];
  systemd.write("user.service", [...user, "Delegate=yes", `ExecStart=${manager.join(" ")}`]);
  systemd.run("systemctl", "start", "user");
  await until(() => systemctl("is-active", "basic.target") === "active");
  const node = ["node", "--data-dir", dataDir, "--id", "1", "--bind", "127.0.0.1:0", "--vm-driver", "qemu"];
  const command = [process.execPath, blixard, ...node, "--accel", "tcg", "--log-format", "json"];
  const log = `StandardError=append:${join(folder, "log")}`;
  systemd.write("blixard.service", [...user, log, `ExecStart=${command.join(" ")}`]);
  systemd.run("systemctl", "start", "blixard");
  await until(async () => (await ask((api) => api.call("cluster.status", {})).catch(() => null))?.leaderId === 1);
}, 60_000);
afterAll(async () => {
  await systemd.destroy();
  rmSync(folder, { recursive: true, force: true });
});

/** Of the user's manager. */
function systemctl(...args: readonly string[]): string {
  const as = ["setpriv", "--reuid", `${UID}`, "--regid", `${UID}`, "--clear-groups"];
  return systemd.try(...as, "env", `XDG_RUNTIME_DIR=${RUNTIME}`, "systemctl", "--user", ...args).trim();
}

async function ask<Result>(question: (api: ApiClient) => Promise<Result>): Promise<Result> {
  return await askOver(join(dataDir, "api.sock"), question);
}

async function reaches(state: string): Promise<void> {
  await until(async () => {
    const { vms } = await ask((api) => api.read("vm.list", {}, { timeoutMs: 20_000 }));
    return vms.some((vm) => vm.name === "web" && vm.state === state);
  });
}

test("a VM is a unit of the node's user, who is warned that it ends with his login", { timeout: 120_000 }, async () => {
  // Root makes it, and the node cannot read it yet.
  const built = execFileSync(process.execPath, [
    blixard,
    "image",
    "build",
    "demo",
    "--no-wait",
    "--data-dir",
    dataDir,
    "--json",
  ]);
  const image: string = JSON.parse(String(built)).digest;
  systemd.run("chown", "-R", `${UID}:${UID}`, join(dataDir, "images"));
  const size = { vcpus: 1, memoryMiB: 96, diskGiB: 0, stopTimeoutMs: 1000 };
  const spec = { ...size, source: { kind: "image", image } } as const;
  await ask((api) => api.write("vm.create", { name: "web", spec }, { timeoutMs: 10_000 }));
  await reaches("Running");
  expect(systemctl("is-active", VM)).toBe("active");
  expect(systemd.try("systemctl", "show", "--property=LoadState", "--value", VM).trim()).toBe("not-found");
  const pid = systemctl("show", "--property=MainPID", "--value", VM);
  expect(systemd.run("cat", `/proc/${pid}/comm`)).toMatch(/^qemu-system/);
  expect(systemd.run("cat", `/proc/${pid}/status`)).toMatch(new RegExp(`^Uid:\\s${UID}\\s`, "m"));
  expect(readFileSync(join(folder, "log"), "utf8")).toContain("loginctl enable-linger nobody");

  systemctl("stop", VM);
  await reaches("Stopped");
  systemctl("start", VM);
  await reaches("Running");
});
