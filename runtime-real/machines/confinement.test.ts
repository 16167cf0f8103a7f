import { execFileSync, spawn, spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { vmSpec } from "../../core/index.ts";
import { markOf, PROCESS_MARK, processesOf } from "../processes/index.ts";
import { type Confinement, confined, confinementOf, type Opened } from "./confinement.ts";

const isRoot = process.getuid?.() === 0;
const TAP = "bx-confined";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "blixard-confined-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function of(changes: Partial<Confinement> = {}): Confinement {
  return { ...confinementOf(folder, "web", vmSpec({ memoryMiB: 96, vcpus: 1 }), "tcg"), ...changes };
}

/** What that prints of itself. */
function shown(script: string, confinement: Confinement, opened: readonly Opened[] = []): string {
  const [program = "", ...args] = confined(["sh", "-c", script], confinement, opened, "parent");
  const { stdout, stderr } = spawnSync(program, args, { encoding: "utf8" });
  return `${stdout}${stderr}`.trim();
}

test.runIf(isRoot)("a machine has a user of its own, which is no other machine's and has no privileges", () => {
  const { uid } = of();
  expect(uid).toBeGreaterThan(2 ** 16);
  expect(of().uid).toBe(uid);
  expect(confinementOf(folder, "db", vmSpec(), "tcg").uid).not.toBe(uid);
  expect(confinementOf(`${folder}-2`, "web", vmSpec(), "tcg").uid).not.toBe(uid);
  expect(shown("id", of())).toBe(`uid=${uid} gid=${uid} groups=${uid}`);
  const status = shown("cat /proc/self/status", of());
  for (const set of ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"])
    expect(status).toMatch(new RegExp(`^${set}:\\s0+$`, "m"));
  expect(status).toMatch(/^NoNewPrivs:\s1$/m);
});

test.runIf(isRoot)("it reads what is opened for it, and nothing else of the node", () => {
  const [image, secret] = [join(folder, "image"), join(folder, "secret")];
  writeFileSync(image, "boots\n");
  writeFileSync(secret, "secret\n");
  for (const path of [image, secret]) chmodSync(path, 0o444);
  const opened = [{ fd: 10, kind: "file", what: image }] as const;
  // The directory is the node's (0700). By the descriptor the file is opened anew.
  expect(shown("cat /proc/self/fd/10", of(), opened)).toBe("boots");
  expect(shown(`cat ${secret} ${image}`, of(), opened)).toMatch(
    /secret: Permission denied\n.*image: Permission denied/,
  );
});

test.runIf(isRoot)("a tap device comes open, as it was made, and only that one", () => {
  execFileSync("ip", ["tuntap", "add", "dev", TAP, "mode", "tap", "vnet_hdr", "multi_queue"]);
  try {
    const opened = [20, 21].map((fd): Opened => ({ fd, kind: "tap", what: TAP }));
    expect(shown("grep -h iff: /proc/self/fdinfo/20 /proc/self/fdinfo/21", of(), opened)).toMatch(
      new RegExp(`^iff:\\s${TAP}\\niff:\\s${TAP}$`),
    );
    expect(shown("true", of(), [{ fd: 20, kind: "tap", what: "lo" }])).toBe(
      "lo is no tap device: No such file or directory",
    );
  } finally {
    execFileSync("ip", ["link", "delete", "dev", TAP]);
  }
});

test("it has no more memory than its guest and its hypervisor need, and leaves no dump of it", () => {
  const { memoryMaxMiB } = of();
  expect(memoryMaxMiB).toBeGreaterThan(96 + 150);
  expect(memoryMaxMiB).toBeLessThan(96 + 300);
  const huge = (4 * memoryMaxMiB + 4096) * 2 ** 20;
  expect(shown(`perl -e '$x = "x" x 1e8; print "ok"'`, of())).toBe("ok");
  expect(shown(`perl -e '$x = "x" x ${huge}'`, of())).toContain("Out of memory");
  expect(shown("ulimit -c", of())).toBe("0");
});

test("it dies with its parent, though it has another user", async () => {
  const [program = "", ...args] = confined(["sleep", "60"], of(), [], "parent");
  const starts = `require("child_process").spawn(${JSON.stringify(program)}, ${JSON.stringify(args)})`;
  const env = { PATH: process.env["PATH"], [PROCESS_MARK]: markOf(folder) };
  const parent = spawn(process.execPath, ["-e", `${starts}; setInterval(() => 0, 1000)`], { env, stdio: "ignore" });
  const commands = (): readonly string[] => processesOf({ group: null, markedWith: markOf(folder) }).map(commandOf);
  await expect.poll(commands).toContain("sleep 60");
  parent.kill("SIGKILL");
  await expect.poll(commands).toEqual([]);
});

function commandOf(pid: number): string {
  return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
}
