/**
 * Images go where they are needed: two members and a worker that is no member, each with the driver of QEMU, and
 * images that one of them alone has.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { randomFillSync } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type AnswerOf, loadImages } from "../../runtime-real/index.ts";
import { RealCluster, RealNode, until } from "./testing/index.ts";

const blixard = join(import.meta.dirname, "..", "blixard.js");
const SUBNET = "10.203.78.0/24";
const WORKER = 7;
const LIMIT = { timeout: 240_000 };
const BIG_MIB = 64;
const ABSENT = `sha256:${"0".repeat(64)}`;
const QEMU = ["--vm-driver", "qemu", "--accel", "tcg"];

const cluster = new RealCluster();
const worker = new RealNode(WORKER, join(cluster.folder, `${WORKER}`), "127.0.0.1:0");
let demo = "";

beforeAll(async () => {
  await cluster.start(2, QEMU);
  // Room for several on a host of any size.
  const overcommit = { cpu: 8, memory: 1, disk: 1, reservePercent: 10 };
  await node(1).ask((api) => api.write("scheduler.configure", { scheduler: { overcommit } }));
  const { token, address } = await cluster.joinToken();
  const joins = ["--join", address, "--token", token];
  await worker.start(["--worker-only", "--id", `${WORKER}`, "--bind", worker.bind, ...QEMU, ...joins]);
  demo = JSON.parse(run("image", "build", "demo", "--no-wait", "--data-dir", node(1).dataDir, "--json")).digest;
  run("ip-pool", "create", "--name", "lan", "--subnet", SUBNET, "--data-dir", node(1).dataDir);
  // It takes its time to give up.
  await create("ghost", ABSENT, 2);
}, 120_000);
afterAll(async () => {
  for (const pid of processes("machines/supervisor.ts")) process.kill(pid, "SIGKILL");
  await worker.end("SIGKILL");
  await until(() => processes("qemu-system").length === 0);
  await cluster.destroy();
});

function node(id: number): RealNode {
  return cluster.nodes.find((one) => one.id === id) ?? expect.fail(`no node ${id}`);
}

function run(...args: readonly string[]): string {
  return execFileSync(process.execPath, [blixard, ...args], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

/** Those of this test that have `word` in their command line. */
function processes(word: string): readonly number[] {
  return readdirSync("/proc").flatMap((entry) => {
    const pid = Number(entry);
    if (!Number.isInteger(pid)) return [];
    try {
      const command = readFileSync(`/proc/${entry}/cmdline`, "utf8");
      const isOurs =
        command.includes(cluster.folder) || readFileSync(`/proc/${entry}/environ`, "utf8").includes(cluster.folder);
      return isOurs && command.includes(word) ? [pid] : [];
    } catch {
      return [];
    }
  });
}

async function vm(name: string): Promise<AnswerOf<"vm.show">["vm"] | null> {
  return await node(1).ask(async (api) => {
    const { vms } = await api.read("vm.list", {}, { timeoutMs: 20_000 });
    return vms.find((one) => one.name === name) ?? null;
  });
}

async function create(name: string, image: string, workerId: number, restartsMax = 0): Promise<void> {
  const size = { vcpus: 1, memoryMiB: 96, diskGiB: 0, workerId };
  const recovery = { restartsMax, backoffMs: 100 };
  const spec = { ...size, source: { kind: "image", image }, networks: [{ pool: "lan" }], recovery } as const;
  await node(1).ask((api) => api.write("vm.create", { name, spec }, { timeoutMs: 10_000 }));
}

async function remove(name: string): Promise<void> {
  run("vm", "delete", name, "--yes", "--data-dir", node(1).dataDir);
}

/** The directory of an image on a node; `fetch`: of what there is of it. */
function folderOf(of: RealNode, digest: string, prefix: "sha256" | "fetch" = "sha256"): string {
  return join(of.dataDir, "images", digest.replace("sha256:", `${prefix}-`));
}

/** An image that boots nowhere and that this node alone has. */
async function addBigImage(to: RealNode): Promise<string> {
  const path = join(cluster.folder, "big");
  const bytes = Buffer.alloc(1024 * 1024);
  writeFileSync(path, "");
  for (let at = 0; at < BIG_MIB; at++) writeFileSync(path, randomFillSync(bytes), { flag: "a" });
  const { ImageStore } = await loadImages();
  return await new ImageStore(join(to.dataDir, "images")).add(path, path, "", "big");
}

test("a VM boots on a worker that has to fetch its image over the member it is connected to", LIMIT, async () => {
  expect(existsSync(folderOf(worker, demo))).toBe(false);
  // By its name, which the worker does not know.
  const size = ["--vcpus", "1", "--memory", "96", "--disk", "0", "--network", "lan", "--image", "demo"];
  run(
    "vm",
    "create",
    "--name",
    "web",
    ...size,
    "--worker",
    `${WORKER}`,
    "--timeout",
    "60s",
    "--data-dir",
    node(1).dataDir,
  );
  const { addresses, spec } = (await vm("web")) ?? expect.fail("it was created");
  expect(spec.source).toEqual({ kind: "image", image: demo });
  let text = "";
  await until(async () => {
    const response = await fetch(`http://${addresses[0]?.address}/`, { signal: AbortSignal.timeout(1000) }).catch(
      () => null,
    );
    text = response?.status === 200 ? await response.text() : "";
    return text !== "";
  });
  expect(text).toContain("web ");
  expect(existsSync(folderOf(worker, demo))).toBe(true);
  await remove("web");
});

test(
  "the only node that has an image is killed while it is copied: that is told, and the copy goes on when it is back",
  LIMIT,
  async () => {
    const big = await addBigImage(worker);
    // To a member that the worker may not be connected to.
    // Where all is slow the node may be away for longer than the fetch waits: then another run goes on with it.
    await create("big", big, 2, 10);
    const partial = join(folderOf(node(2), big, "fetch"), "kernel");
    const copiedMiB = (): number => (existsSync(partial) ? statSync(partial).size / 2 ** 20 : 0);
    await until(() => copiedMiB() > 8);
    worker.signal("SIGSTOP");
    const { ino } = statSync(partial);
    expect(copiedMiB()).toBeLessThan(BIG_MIB);
    await worker.end("SIGKILL");
    const reasons = new Set<string>();
    const reason = async (): Promise<string> => {
      const said = (await vm("big"))?.reason ?? "";
      reasons.add(said);
      return said;
    };
    await until(async () => (await reason()).startsWith("no node that is connected has the image now"));
    expect((await vm("big"))?.state).toBe("Building");
    await worker.start();
    await until(async () => {
      await reason();
      return existsSync(folderOf(node(2), big));
    });
    expect(statSync(join(folderOf(node(2), big), "kernel")).ino).toBe(ino);
    expect([...reasons].filter((said) => /^fetching image \d+\/128 MiB$/.test(said)).length).toBeGreaterThan(1);
    await remove("big");
  },
);

test("an imported image is on two workers when the command returns, and stays while a VM uses it", LIMIT, async () => {
  const [kernel, initrd] = ["kernel", "initrd"].map((file) => join(folderOf(node(1), demo), file));
  const files = ["--kernel", kernel ?? "", "--initrd", initrd ?? ""];
  const at = ["--data-dir", node(1).dataDir];
  const said = run("image", "import", "--name", "mine", ...files, "--cmdline", "quiet", ...at);
  expect(said).toMatch(/^mine sha256:[0-9a-f]{64}\nmine is on 2 workers\n$/);
  const [digest = ""] = /sha256:[0-9a-f]{64}/.exec(said) ?? [];
  const holders = [node(1), node(2), worker].filter((one) => existsSync(folderOf(one, digest)));
  expect(holders).toHaveLength(2);

  await create("user", digest, 1);
  await until(async () => (await vm("user"))?.state === "Running");
  const { image } = JSON.parse(run("image", "show", "mine", "--json", ...at));
  expect(image).toMatchObject({ digest, names: ["mine"], kind: "kernel", commandLine: "quiet", usedBy: ["user"] });
  const refused = spawnSync(process.execPath, [blixard, "image", "remove", "mine", "--yes", ...at], {
    encoding: "utf8",
  });
  expect({ status: refused.status, stderr: refused.stderr }).toEqual({
    status: 1,
    stderr: expect.stringContaining("VMs of this host use the image mine: user\nhint: delete or migrate them first"),
  });
  await remove("user");
  expect(run("image", "remove", "mine", "--yes", ...at)).toBe("image mine removed\n");
  expect(existsSync(folderOf(node(1), digest))).toBe(false);
});

/**
 * A disk whose first sector is the whole guest: it counts in the second sector how often it has booted, and writes that
 * to the serial line.
 */
function bootingDisk(): Uint8Array {
  const program = [
    // No interrupts while the segments and the stack are set up.
    "fa 31c0 8ed8 8ec0 8ed0 bc007c fb",
    // Reads sector 2 to 0x7e00, adds 1 to its first byte, and writes it back.
    "b80102 bb007e b90200 b600 cd13 fe06007e b80103 bb007e b90200 b600 cd13",
    // Writes the text, then that byte as a digit and a line feed, and halts.
    "be577c ac 84c0 7405 e81200 ebf6 a0007e 0430 e80800 b00a e80300 f4 ebfd",
    // Writes one character, when the line is free.
    "50 bafd03 ec a820 74fb 58 baf803 ee c3",
  ];
  const disk = new Uint8Array(1024 * 1024);
  disk.set(Buffer.from(program.join("").replaceAll(" ", ""), "hex"));
  disk.set(new TextEncoder().encode("blixard disk, boot "), 0x57);
  disk.set([0x55, 0xaa], 510);
  return disk;
}

/** The same as qcow2: a disk of 64 MiB of which the first cluster alone is there. */
async function asQcow2(disk: Uint8Array): Promise<Uint8Array> {
  const { emptyQcow2 } = await loadImages();
  const clusterBytes = 65_536;
  const empty = emptyQcow2(64 * 1024 * 1024);
  const bytes = new Uint8Array(empty.length + 2 * clusterBytes);
  bytes.set(empty);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(Number(view.getBigUint64(40)), BigInt(empty.length) | (1n << 63n));
  view.setBigUint64(empty.length, BigInt(empty.length + clusterBytes) | (1n << 63n));
  bytes.set(disk.subarray(0, clusterBytes), empty.length + clusterBytes);
  return bytes;
}

test(
  "a VM boots a disk, raw or qcow2: it keeps what it writes while it stays, and starts anew elsewhere",
  LIMIT,
  async () => {
    const at = ["--data-dir", node(1).dataDir];
    const boots = async (name: string, time: number): Promise<void> => {
      await until(() => {
        const logs = spawnSync(process.execPath, [blixard, "vm", "logs", name, ...at], { encoding: "utf8" });
        return logs.stdout.includes(`blixard disk, boot ${time}`);
      });
    };
    const disks = { raw: bootingDisk(), qcow2: await asQcow2(bootingDisk()) };
    for (const [format, bytes] of Object.entries(disks)) {
      const path = join(cluster.folder, format);
      writeFileSync(path, bytes);
      const imported = run("image", "import", "--name", format, "--disk", path, "--json", "--no-wait", ...at);
      const { digest: image } = JSON.parse(imported);
      const original = join(folderOf(node(1), image), "disk");
      const spec = {
        vcpus: 1,
        memoryMiB: 64,
        diskGiB: 1,
        stopTimeoutMs: 100,
        source: { kind: "image", image },
      } as const;
      await node(1).ask((api) => api.write("vm.create", { name: format, spec }));
      await boots(format, 1);
      run("vm", "restart", format, ...at);
      await boots(format, 2);
      expect(readFileSync(original).equals(bytes)).toBe(true);
      const from = (await vm(format))?.workerId;
      run("vm", "migrate", format, "--to", from === 2 ? "1" : "2", ...at);
      await boots(format, 1);
      expect((await vm(format))?.workerId).not.toBe(from);
      await remove(format);
    }
  },
);

test("a VM runs on when the host is lost that its image was made on", LIMIT, async () => {
  const [kernel = "", initrd = ""] = ["kernel", "initrd"].map((file) => join(folderOf(node(1), demo), file));
  const { ImageStore } = await loadImages();
  const image = await new ImageStore(join(worker.dataDir, "images")).add(kernel, initrd, "quiet", "elsewhere");
  await until(async () => {
    const { copies, wanted } = await node(1).ask((api) => api.call("image.copy", { digest: image }));
    return wanted === 2 && copies === 2;
  });
  // So that it is placed there, and may leave it.
  const members = [1, 2].map(String);
  for (const id of members) run("worker", "cordon", id, "--data-dir", node(1).dataDir);
  const spec = { vcpus: 1, memoryMiB: 96, diskGiB: 0, source: { kind: "image", image } } as const;
  await node(1).ask((api) => api.write("vm.create", { name: "roams", spec }));
  await until(async () => (await vm("roams"))?.state === "Running");
  expect((await vm("roams"))?.workerId).toBe(WORKER);
  for (const id of members) run("worker", "uncordon", id, "--data-dir", node(1).dataDir);
  await worker.end("SIGKILL");
  await until(async () => {
    const { state, workerId } = (await vm("roams")) ?? expect.fail("it was created");
    return state === "Running" && workerId !== WORKER;
  });
  await remove("roams");
});

test("a VM whose image nobody has says so", LIMIT, async () => {
  await until(async () => (await vm("ghost"))?.state === "Failed");
  expect((await vm("ghost"))?.reason).toContain(`no node that is connected has the image ${ABSENT}`);
  await remove("ghost");
});
