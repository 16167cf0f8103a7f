import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Manager } from "./manager.ts";
import { UnitFiles } from "./unit-files.ts";

let folder = "";
let manager: Manager;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "blixard-units-"));
  manager = { name: "system", unitFolder: join(folder, "units") };
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A worker on this host, with its directory of machines. */
function worker(workerId: number, name = `worker-${workerId}`): { readonly machines: string; claim(): UnitFiles } {
  const machines = join(folder, name);
  mkdirSync(machines);
  return { machines, claim: () => UnitFiles.claim(manager, machines, { clusterId: "0123456789ab", workerId }) };
}

function vm(name: string, memoryMaxMiB = 300) {
  return { name, memoryMaxMiB, stopTimeoutMs: 10_000 };
}

function made(): readonly string[] {
  return readdirSync(manager.unitFolder).sort();
}

test("the first worker of a manager has plain names, and others have their cluster and number in theirs", () => {
  const [first, second] = [worker(1), worker(2)];
  expect(UnitFiles.find(manager, first.machines)).toBeNull();
  for (const { claim } of [first, second]) claim().make(vm("web"));
  expect(made()).toEqual([
    "blixard-machines-01234567-w2.service",
    "blixard-machines.service",
    "blixard-vm-web-01234567-w2.service",
    "blixard-vm-web.service",
  ]);
  // The next process of either finds its own.
  expect(UnitFiles.find(manager, first.machines)?.unitOf("web")).toBe("blixard-vm-web.service");
  expect(UnitFiles.find(manager, second.machines)?.unitOf("web")).toBe("blixard-vm-web-01234567-w2.service");
});

test("names of a worker that is gone are free again", () => {
  const first = worker(1);
  first.claim();
  rmSync(first.machines, { recursive: true });
  expect(worker(2).claim().unitOf("web")).toBe("blixard-vm-web.service");
  expect(made()).toEqual(["blixard-machines.service"]);
});

test("a unit of somebody else is neither written nor removed, whatever its name is", () => {
  const units = worker(1).claim();
  const path = join(manager.unitFolder, "blixard-vm-web.service");
  for (const text of ["[Service]\nExecStart=/bin/true\n", "# blixard /elsewhere\n[Service]\n"]) {
    writeFileSync(path, text);
    expect(() => units.make(vm("web"))).toThrow("somebody else's");
    units.remove("web");
    expect(readFileSync(path, "utf8")).toBe(text);
  }
});

test("nothing is left of what was made", () => {
  const units = worker(1).claim();
  units.make(vm("web"));
  units.remove("web");
  units.removeSupervisor();
  expect(made()).toEqual([]);
});

test("it says when systemd may know another version of a unit", () => {
  const units = worker(1).claim();
  expect([units.make(vm("web")), units.make(vm("web")), units.make(vm("web", 400))]).toEqual([false, false, true]);
});

test.each(["plain", "with space", "100%h $HOME", 'quo"te\\'])("systemd accepts the units of a directory %s", (name) => {
  const units = worker(1, name).claim();
  units.make(vm("web"));
  const paths = made().map((unit) => join(manager.unitFolder, unit));
  const { stdout, stderr } = spawnSync("systemd-analyze", ["verify", "--man=no", ...paths], { encoding: "utf8" });
  expect(stdout + stderr).toBe("");
});
