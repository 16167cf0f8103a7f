/**
 * VMs as systemd units: a node that is a service of a real manager, which the test starts in namespaces of its own, and
 * the demo guest.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { FENCE_GRACE_MS, LEASE_TTL_MS } from "../../core/index.ts";
import type { AnswerOf, ApiClient } from "../../runtime-real/index.ts";
import { askOver, SystemManager, until } from "./testing/index.ts";

const blixard = join(import.meta.dirname, "..", "blixard.js");
const LIMIT = { timeout: 120_000 };
const VM = "blixard-vm-web.service";
const SUPERVISOR = "blixard-machines.service";

const folder = mkdtempSync(join(tmpdir(), "blixard-units-"));
const dataDir = join(folder, "node");
let systemd: SystemManager;
let digest = "";

beforeAll(async () => {
  await boot();
  digest = JSON.parse(run("image", "build", "demo", "--data-dir", dataDir, "--json")).digest;
}, 120_000);
afterAll(async () => {
  await systemd.destroy();
  rmSync(folder, { recursive: true, force: true });
});

/** The host boots, and its node is started. */
async function boot(): Promise<void> {
  systemd = await SystemManager.start();
  const own = existsSync(dataDir)
    ? []
    : ["--id", "1", "--bind", "127.0.0.1:0", "--vm-driver", "qemu", "--accel", "tcg"];
  const command = [process.execPath, blixard, "node", "--data-dir", dataDir, ...own];
  const path = `Environment="PATH=${process.env["PATH"]}"`;
  systemd.write("blixard.service", ["[Service]", path, `ExecStart=${command.join(" ")}`]);
  systemd.run("systemctl", "start", "blixard");
  await answers();
}

async function answers(): Promise<void> {
  await until(async () => (await ask((api) => api.call("cluster.status", {})).catch(() => null))?.leaderId === 1);
}

async function ask<Result>(question: (api: ApiClient) => Promise<Result>): Promise<Result> {
  return await askOver(join(dataDir, "api.sock"), question);
}

function run(...args: readonly string[]): string {
  return execFileSync(process.execPath, [blixard, ...args], { encoding: "utf8" });
}

async function vm(): Promise<AnswerOf<"vm.show">["vm"]> {
  return (await ask((api) => api.read("vm.show", { name: "web" }, { timeoutMs: 20_000 }))).vm;
}

async function reaches(state: string, afterEpoch = 0): Promise<void> {
  await until(async () => {
    const { state: now, epoch } = await vm();
    return now === state && epoch > afterEpoch;
  });
}

/** The guest takes the power button from then on. */
async function booted(): Promise<void> {
  await reaches("Running");
  const { epoch } = await vm();
  await until(() => consoleOf(epoch).includes("blixard demo: web is up"));
}

function consoleOf(epoch: number): string {
  const path = join(dataDir, "machines", "web", `run-${epoch}`, "console.log");
  return existsSync(path) ? readFileSync(path, "utf8") : "";
}

function journal(): string {
  return systemd.try("journalctl", "--unit", VM, "--no-pager", "--output", "cat");
}

function processes(): readonly string[] {
  return readdirSync("/proc").flatMap((pid) => {
    try {
      const isOurs = readFileSync(`/proc/${pid}/environ`, "utf8").includes(`BLIXARD_OWNER=${dataDir}`);
      return isOurs ? [readFileSync(`/proc/${pid}/comm`, "utf8").trim()] : [];
    } catch {
      return [];
    }
  });
}

function units(): readonly string[] {
  return systemd
    .run("ls", "/run/systemd/system")
    .split("\n")
    .filter((name) => name.startsWith("blixard-"));
}

test("a VM is a unit, with its limits and its console, and goes on without its node", LIMIT, async () => {
  const spec = { vcpus: 1, memoryMiB: 96, diskGiB: 0, source: { kind: "image", image: digest } } as const;
  const recovery = { backoffMs: 100 };
  await ask((api) => api.write("vm.create", { name: "web", spec: { ...spec, recovery } }, { timeoutMs: 10_000 }));
  await booted();
  expect(units()).toEqual([SUPERVISOR, VM]);
  expect(systemd.try("systemd-analyze", "verify", "--man=no", `/run/systemd/system/${VM}`)).toBe("");
  expect(systemd.try("systemd-analyze", "verify", "--man=no", `/run/systemd/system/${SUPERVISOR}`)).toBe("");
  expect(systemd.show(VM, "Restart")).toBe("no");
  expect(systemd.show(VM, "MemoryMax")).toBe(`${357 * 2 ** 20}`);
  expect(systemd.show(VM, "BindsTo")).toBe(SUPERVISOR);
  expect(journal()).toContain("Linux version");
  const pid = systemd.show(VM, "MainPID");
  expect(systemd.run("cat", `/proc/${pid}/comm`)).toMatch(/^qemu-system/);
  expect(systemd.run("cat", `/proc/${pid}/status`)).toMatch(/^Uid:\s(1[9]|20)\d{8}\s/m);

  systemd.run("systemctl", "restart", "blixard");
  await answers();
  await reaches("Running");
  expect(systemd.show(VM, "MainPID")).toBe(pid);
  expect((await vm()).restarts).toBe(0);
});

test("killed, in whatever way, it has crashed and runs again", LIMIT, async () => {
  for (const unit of [VM, SUPERVISOR]) {
    const { epoch } = await vm();
    const pid = systemd.show(VM, "MainPID");
    systemd.run("systemctl", "kill", "--signal=KILL", unit);
    await reaches("Running", epoch);
    expect(systemd.show(VM, "MainPID")).not.toBe(pid);
    expect(processes().filter((name) => name.startsWith("qemu"))).toHaveLength(1);
  }
});

test("who stops its unit wants it stopped, and who starts it by hand asks the cluster", LIMIT, async () => {
  await booted();
  systemd.run("systemctl", "stop", VM);
  await reaches("Stopped");
  expect(await vm()).toMatchObject({ desired: "stopped", reason: "somebody has stopped its unit on its host" });
  expect(journal()).toContain("Power down");
  expect(systemd.show(VM, "Result")).toBe("success");
  const { epoch } = await vm();
  systemd.run("systemctl", "start", VM);
  await reaches("Running", epoch);
  expect((await vm()).desired).toBe("running");
  // Once it runs, another start is none.
  const pid = systemd.show(VM, "MainPID");
  systemd.run("systemctl", "start", VM);
  expect(systemd.show(VM, "MainPID")).toBe(pid);
});

test("when its node hangs, the machine ends with the lease, before it could run elsewhere", LIMIT, async () => {
  const { epoch } = await vm();
  const stoppedMs = performance.now();
  systemd.run("systemctl", "kill", "--signal=STOP", "blixard");
  try {
    await until(() => !processes().some((name) => name.startsWith("qemu")));
    expect(performance.now() - stoppedMs).toBeLessThan(LEASE_TTL_MS + FENCE_GRACE_MS);
  } finally {
    systemd.run("systemctl", "kill", "--signal=CONT", "blixard");
  }
  await reaches("Running", epoch);
});

test("when its supervisor dies, the machine ends at once, though no node is there to see to it", LIMIT, async () => {
  const { epoch } = await vm();
  systemd.run("systemctl", "stop", "blixard");
  expect(processes().some((name) => name.startsWith("qemu"))).toBe(true);
  systemd.run("systemctl", "kill", "--signal=KILL", SUPERVISOR);
  const killedMs = performance.now();
  await until(() => !processes().some((name) => name.startsWith("qemu")));
  expect(performance.now() - killedMs).toBeLessThan(FENCE_GRACE_MS);
  systemd.run("systemctl", "start", "blixard");
  await answers();
  await reaches("Running", epoch);
});

test("when the host has shut down and boots again, its VM comes back", LIMIT, async () => {
  await booted();
  const { epoch } = await vm();
  await systemd.shutDown();
  expect(processes()).toEqual([]);
  const end = JSON.parse(readFileSync(join(dataDir, "machines", "web", `run-${epoch}`, "end.json"), "utf8"));
  expect(end).toMatchObject({ by: "host", cause: "guest-shutdown" });
  await boot();
  await reaches("Running", epoch);
  expect((await vm()).desired).toBe("running");
});

test("a VM that is deleted leaves no unit and no process", LIMIT, async () => {
  run("vm", "delete", "web", "--yes", "--data-dir", dataDir);
  await until(() => processes().length === 0 && units().length === 0);
  expect(systemd.run("systemctl", "list-units", "--all", "--no-legend", "blixard-*")).toBe("");
});
