import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { buildDemoImage, ImageStore } from "../images/index.ts";
import { knownTrial, tryBoot } from "./kvm-trial.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "blixard-kvm-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** In the place of QEMU, which the test of machines runs. */
async function tried(script: string) {
  const program = join(folder, "qemu");
  writeFileSync(program, `#!/bin/sh\necho $$ > ${folder}/pid\n${script}\n`);
  chmodSync(program, 0o755);
  return await tryBoot(program, "/boot/kernel", "kvm", 500);
}

const reset = '{"event": "SHUTDOWN", "data": {"guest": true, "reason": "guest-reset"}}';

test.each([
  ["a guest that comes to its end", `echo '${reset}'`, true, "a guest has booted"],
  [
    "one that ends otherwise",
    `echo '{"event": "SHUTDOWN", "data": {"reason": "host-error"}}'; exit 1`,
    false,
    "exit code 1",
  ],
  [
    "a hypervisor that says why",
    "echo cannot access KVM >&2; exit 1",
    false,
    "a guest did not boot: cannot access KVM",
  ],
  ["one that is killed", "kill -KILL $$", false, "a guest did not boot: SIGKILL"],
  ["a guest that hangs", "exec sleep 60", false, "a guest did not boot in 0.5 s"],
])("%s", async (_, script, works, found) => {
  expect(await tried(script)).toEqual({ works, found: expect.stringContaining(found) });
});

test("nothing is left of a guest that hangs", async () => {
  await tried("exec sleep 60");
  const pid = Number(readFileSync(join(folder, "pid"), "utf8"));
  await expect.poll(() => isThere(pid)).toBe(false);
});

test("a hypervisor that is not there", async () => {
  const trial = await tryBoot(join(folder, "none"), "/boot/kernel", "kvm", 500);
  expect(trial).toEqual({ works: false, found: expect.stringContaining("ENOENT") });
});

test("a real kernel boots, and what is none does not", { timeout: 180_000 }, async () => {
  const images = new ImageStore(join(folder, "images"));
  const image = images.find(await buildDemoImage(images, () => undefined));
  if (image.kind !== "kernel") expect.fail(image.kind);
  expect(await tryBoot("qemu-system-x86_64", image.kernelPath, "tcg", 60_000)).toEqual({
    works: true,
    found: "a guest has booted",
  });
  expect(await tryBoot("qemu-system-x86_64", "/etc/hostname", "tcg", 60_000)).toMatchObject({ works: false });
});

test("what was found is known until the host boots again", () => {
  const remember = (hostBootId: string): void =>
    writeFileSync(
      join(folder, "kvm-trial.json"),
      JSON.stringify({ hostBootId, works: true, found: "a guest has booted" }),
    );
  expect(knownTrial(folder)).toBeNull();
  remember(readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim());
  expect(knownTrial(folder)).toEqual({ works: true, found: "a guest has booted" });
  remember("another");
  expect(knownTrial(folder)).toBeNull();
  writeFileSync(join(folder, "kvm-trial.json"), '{"works": tr');
  expect(knownTrial(folder)).toBeNull();
});

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
