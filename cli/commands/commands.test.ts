/** The commands that ask a node, against a real one in this process, and what they say when something is wrong. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { RunningNode } from "../../runtime-real/index.ts";
import { blixard, nodeIn } from "../testing/index.ts";

let folder = "";
let node: RunningNode;
let here: string[] = [];
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "blixard-test-"));
  node = await nodeIn(join(folder, "data"), { apiBind: "127.0.0.1:0" });
  here = ["--data-dir", join(folder, "data")];
});
afterAll(async () => {
  await node.stop(1000);
  rmSync(folder, { recursive: true, force: true });
});

describe("vm", () => {
  test("is created, changed, shown, listed and deleted, each with its log index and term", async () => {
    const made = await blixard([
      "vm",
      "create",
      "--name",
      "web",
      "--vcpus",
      "4",
      "--metadata",
      "owner=ops",
      "--feature",
      "gpu",
      "--no-wait",
      ...here,
    ]);
    expect(made).toMatchObject({ code: 0, err: "" });
    expect(made.out).toMatch(/^web created: log index \d+, term \d+$/);
    const changed = JSON.parse((await blixard(["vm", "update", "web", "--memory", "2048", "--json", ...here])).out);
    expect(changed).toMatchObject({ name: "web", generation: 2, term: expect.any(Number), index: expect.any(Number) });
    const { vm } = JSON.parse((await blixard(["vm", "show", "web", "--json", ...here])).out);
    expect(vm.spec).toMatchObject({ vcpus: 4, memoryMiB: 2048, features: ["gpu"], metadata: { owner: "ops" } });
    expect((await blixard(["vm", "show", "web", ...here])).out).toContain(
      "4 vCPUs, 2,048 MiB of memory, 5 GiB of disk",
    );
    const list = (await blixard(["vm", "list", ...here])).out.split("\n");
    expect(list[0]).toMatch(/^NAME +TENANT +STATE +WORKER +VCPUS/);
    expect(list[1]).toMatch(/^web +default +Pending +- +4 +2,048 +5 +waits for a place$/);
    expect((await blixard(["vm", "delete", "web", "--yes", ...here])).out).toMatch(/^web deleted: log index \d+/);
    expect((await blixard(["vm", "list", ...here])).err).toContain("there are no VMs");
  });

  test("is described by a file, which flags go before", async () => {
    const file = join(folder, "app.json");
    writeFileSync(file, JSON.stringify({ vcpus: 8, diskGiB: 50 }));
    await blixard(["vm", "create", "--name", "app", "-f", file, "--vcpus", "1", "--no-wait", ...here]);
    const { vm } = JSON.parse((await blixard(["vm", "show", "app", "--json", ...here])).out);
    expect(vm.spec).toMatchObject({ vcpus: 1, diskGiB: 50 });
  });

  test("is described by a TOML file, with its name", async () => {
    const file = join(folder, "toml.toml");
    const text = [
      'name = "toml"',
      "vcpus = 3",
      "[metadata]",
      'owner = "ops"',
      "[[volumes]]",
      'name = "data"',
      "sizeGiB = 7",
    ];
    writeFileSync(file, text.join("\n"));
    expect(await blixard(["vm", "create", "-f", file, "--metadata", "tier=1", "--no-wait", ...here])).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^toml created/),
    });
    const { vm } = JSON.parse((await blixard(["vm", "show", "toml", "--json", ...here])).out);
    expect(vm.spec).toMatchObject({
      vcpus: 3,
      metadata: { owner: "ops", tier: "1" },
      volumes: [{ name: "data", sizeGiB: 7 }],
    });
    expect(await blixard(["vm", "update", "app", "-f", file, ...here])).toMatchObject({
      code: 2,
      err: expect.stringContaining("describes the VM toml, not app"),
    });
    writeFileSync(file, "vcpus = 3\nmemory == 4");
    expect(await blixard(["vm", "create", "-f", file, ...here])).toMatchObject({
      code: 1,
      err: expect.stringContaining(`${file}, line 2, column 9: Invalid TOML document`),
    });
    writeFileSync(file, 'name = "toml"\ncpus = 3');
    expect(await blixard(["vm", "create", "-f", file, "--name", "other", ...here])).toMatchObject({
      code: 1,
      err: expect.stringContaining("cpus"),
    });
  });

  test.each<[string, string[], number, string, string]>([
    ["a name that is taken", ["vm", "create", "--name", "app"], 1, "exists already", "another name"],
    ["a name that is none", ["vm", "create", "--name", "App"], 1, "name:", "correct the field"],
    ["no name at all", ["vm", "create", "--vcpus", "1"], 2, "no name", "--name"],
    ["a number that is none", ["vm", "create", "--name", "x", "--vcpus", "two"], 2, "whole number", "--help"],
    [
      "two things to boot",
      ["vm", "create", "--name", "x", "--image", "a", "--nix-module", "b"],
      2,
      "--image or",
      "one of them",
    ],
    ["a hypervisor that is none", ["vm", "create", "--name", "x", "--hypervisor", "xen"], 2, "xen", "qemu"],
    ["a file that is not there", ["vm", "create", "--name", "x", "-f", "/nowhere.json"], 1, "/nowhere.json", "path"],
    ["a name nearly right", ["vm", "show", "ap"], 1, "there is no VM ap", "did you mean app?"],
    ["nothing to change", ["vm", "update", "app"], 2, "nothing to change", "--memory"],
    ["nobody to ask", ["vm", "delete", "app"], 2, "nobody is there", "--yes"],
    ["a token that is none", ["token", "revoke", "nonsense"], 1, "no token", "token list"],
    ["a member that is none", ["cluster", "leave", "--node", "9", "--yes"], 1, "no member", "cluster members"],
    ["a command that is none", ["vm", "explode"], 2, "explode", "--help"],
    ["an address without a token", ["vm", "list", "--address", "127.0.0.1:1"], 2, "needs --token", "token create"],
    ["an address that is none", ["vm", "list", "--address", "x", "--token", "t"], 2, "no address", "host:port"],
  ])("with %s ends with what to do", async (_, args, code, message, hint) => {
    const withPlace = args.includes("--address")
      ? args
      : [...args, ...(args[0] === "vm" && args[1] === "explode" ? [] : here)];
    const heard = await blixard(withPlace);
    expect({ code: heard.code, out: heard.out }).toEqual({ code, out: "" });
    expect(heard.err).toContain(message);
    expect(heard.err).toContain(hint);
  });
});

test("where no node runs, the error says which directory was meant and how to start one", async () => {
  const heard = await blixard(["vm", "list", "--data-dir", join(folder, "nowhere")]);
  expect(heard.code).toBe(1);
  expect(heard.err).toContain(`no node is running in ${join(folder, "nowhere")}`);
  expect(heard.err).toContain("blixard node --id 1");
});

test("over TCP, with a token made here", async () => {
  const { token } = JSON.parse((await blixard(["token", "create", "--purpose", "api", "--json", ...here])).out);
  const args = ["--address", node.apiAddress ?? "", "--token", token];
  expect((await blixard(["vm", "list", "--json", ...args])).code).toBe(0);
  const wrong = await blixard(["vm", "list", ...args.slice(0, -1), "nonsense"]);
  expect(wrong).toMatchObject({ code: 1, err: expect.stringContaining("asks for a token") });
});

test("a join token comes with the command that uses it, and is listed without its secret", async () => {
  const made = await blixard(["token", "create", "--for-node", "2", ...here]);
  expect(made.out).toMatch(/^blx\.[0-9a-f]{16}\.[\w-]{43}\.[\w-]+$/);
  expect(made.err).toContain(`--id 2 --bind HOST:PORT --data-dir DIR --join ${node.addresses[0]} --token ${made.out}`);
  const listed = await blixard(["token", "list", ...here]);
  const [, id = "", secret = ""] = made.out.split(".");
  expect(listed.out).toContain(id);
  expect(listed.out).not.toContain(secret);
  await blixard(["token", "revoke", id, ...here]);
  expect((await blixard(["token", "list", ...here])).out).toMatch(new RegExp(`${id} +join +2 .* revoked`));
});

test("events in order, from where one wants, and followed until Ctrl-C", async () => {
  const all = (await blixard(["events", "--json", ...here])).out.split("\n").map((line) => JSON.parse(line));
  expect(all.map(({ index }) => index)).toEqual(all.map(({ index }) => index).toSorted((a, b) => a - b));
  const [, second] = all;
  const rest = (await blixard(["events", "--after", `${second.index}`, ...here])).out.split("\n");
  // The events of one log entry have the same index and come on one page.
  expect(rest).toHaveLength(all.filter(({ index }) => index > second.index).length);
  const ctrlC = new AbortController();
  const following = blixard(["events", "--follow", "--after", `${all.at(-1).index}`, ...here], ctrlC.signal);
  await blixard(["vm", "create", "--name", "followed", "--no-wait", ...here]);
  setTimeout(() => ctrlC.abort(), 500);
  const followed = await following;
  expect(followed).toMatchObject({ code: 0, out: expect.stringContaining("VM followed created") });
});

test("doctor says what is there and how to mend what is not", async () => {
  const heard = await blixard(["doctor", "--bind", "127.0.0.1:0", "--json", ...here]);
  const { findings } = JSON.parse(heard.out);
  const named = new Map(findings.map((finding: { check: string }) => [finding.check, finding]));
  expect(named.get("running node")).toMatchObject({ state: "ok", found: expect.stringContaining("node 1") });
  expect(named.get("disk")).toMatchObject({ state: "ok", found: expect.stringContaining("a sync takes") });
  for (const { state, mend } of findings) expect(mend === null).toBe(state === "ok");
  expect(await blixard(["doctor", "--bind", "203.0.113.9:7001", ...here])).toMatchObject({
    code: 1,
    out: expect.stringContaining("mend:"),
  });
});

test("a recording is replayed: with the same decisions, step by step, or as JSON", async () => {
  const file = join(folder, "recording");
  const other = await nodeIn(join(folder, "recorded"), { record: file });
  await blixard(["vm", "create", "--name", "web", "--no-wait", "--data-dir", join(folder, "recorded")]);
  await other.stop(1000);
  const brief = await blixard(["sim", "replay", file]);
  expect(brief).toMatchObject({ code: 0, err: "" });
  expect(brief.out).toMatch(/leader in term 1/);
  expect(brief.out).toMatch(/\d+ steps, the same decisions/);
  const verbose = await blixard(["sim", "replay", file, "--verbose"]);
  expect(verbose.out).toMatch(/request \d+: createVm/);
  expect(verbose.out).toMatch(/writes \d+: entries/);
  const lines = (await blixard(["sim", "replay", file, "--json", "--verbose"])).out
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(lines.at(-1)).toMatchObject({ same: true, steps: lines.length - 1 });
  expect((await blixard(["sim", "replay", file, "--show", "--to", "9"])).out).toMatch(/woke|durable|request/);
  expect(await blixard(["sim", "replay", join(folder, "nothing")])).toMatchObject({
    code: 1,
    err: expect.stringContaining("cannot read"),
  });
});

describe("completion", () => {
  test.each(["bash", "zsh", "fish"])("for %s names every command", async (shell) => {
    const { code, out } = await blixard(["completion", shell]);
    expect(code).toBe(0);
    for (const word of ["cluster", "transfer-leader", "sweep", "doctor"]) expect(out).toContain(word);
  });

  test("in a real bash completes commands, options and what it cannot ask for stays silent", async () => {
    const { spawnSync } = await import("node:child_process");
    const { out } = await blixard(["completion", "bash"]);
    const complete = (line: string): string => {
      const words = line.split(" ");
      const script = `${out}\nblixard() { [[ "$4" == "" && "$3" == worker ]] && echo 17; }\nCOMP_WORDS=(${words.map((word) => `"${word}"`).join(" ")})\nCOMP_CWORD=${words.length - 1}\n_blixard\necho "\${COMPREPLY[*]}"`;
      return spawnSync("bash", ["-c", script], { encoding: "utf8" }).stdout.trim();
    };
    expect(complete("blixard cl")).toBe("cluster");
    expect(complete("blixard cluster tr")).toBe("transfer-leader");
    expect(complete("blixard vm create --vc")).toBe("--vcpus");
    expect(complete("blixard sim sw")).toBe("sweep");
    expect(complete("blixard vm health rem")).toBe("remove");
    expect(complete("blixard vm health add web --crit")).toBe("--critical");
    expect(complete("blixard worker co")).toBe("cordon confirm-dead");
    expect(complete("blixard worker re")).toBe("remove");
    expect(complete("blixard vm show x")).toBe("");
    expect(complete("blixard worker drain 1")).toBe("17");
    expect(complete("blixard vm create --worker 1")).toBe("17");
  });

  test("knows the names of VMs and nodes, and prints nothing where no node runs", async () => {
    expect((await blixard(["completion", "--names", "vm", ...here])).out.split("\n")).toContain("app");
    expect((await blixard(["completion", "--names", "node", ...here])).out).toBe("1");
    for (const kind of ["worker", "task", "pool", "tenant"])
      expect(await blixard(["completion", "--names", kind, ...here])).toMatchObject({ code: 0, err: "" });
    expect(await blixard(["completion", "--names", "vm", "--data-dir", folder])).toEqual({ code: 0, out: "", err: "" });
  });
});
