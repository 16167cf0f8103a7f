import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { MachineFiles, type RunFile } from "./files.ts";

let folder = "";
let files: MachineFiles;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "blixard-test-"));
  files = new MachineFiles(folder);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function run(epoch: number): RunFile {
  const confinement = { uid: null, groups: [], memoryMaxMiB: 300 };
  const command = { command: "qemu", args: [], opened: [], confinement };
  return { version: 1, name: "web", epoch, ...command, stopTimeoutMs: 10_000, interfaces: [] };
}

/** Makes a run that has begun, has written something and has ended. */
function ran(epoch: number): void {
  files.make(run(epoch));
  files.markStarted(run(epoch));
  writeFileSync(files.path(run(epoch), "console.log"), `run ${epoch}`);
  writeFileSync(files.path(run(epoch), "qmp.sock"), "");
  files.writeEnd(run(epoch), { how: "exited", cause: "guest-reset", detail: "exit code 0" });
}

test("of the run before, the console and how it ended are kept, and nothing else", () => {
  ran(3);
  expect(files.previous("web")).toBeNull();
  ran(5);
  files.make(run(6));
  expect(readdirSync(join(folder, "web")).sort()).toEqual(["previous-5", "run-6"]);
  const previous = files.previous("web") ?? expect.fail("it is kept");
  expect(previous).toMatchObject({ epoch: 5, end: { cause: "guest-reset" }, isAskedToStop: false });
  expect(readdirSync(previous.folder).sort()).toEqual(["console.log", "end.json"]);
  expect(readFileSync(join(previous.folder, "console.log"), "utf8")).toBe("run 5");
  expect(files.list()).toEqual([{ name: "web", epoch: 6 }]);
});

test("a run that had not begun is no run before", () => {
  ran(3);
  files.make(run(4));
  files.make(run(5));
  expect(files.previous("web")).toMatchObject({ epoch: 3 });
  expect(readdirSync(join(folder, "web")).sort()).toEqual(["previous-3", "run-5"]);
});

test("a machine without a directory has had no run, and nothing is left of one that is removed", () => {
  expect(files.previous("web")).toBeNull();
  ran(3);
  ran(4);
  files.remove("web");
  expect(readdirSync(folder)).toEqual([]);
});

test("the disk of a machine stays from run to run, for as long as its image is the same", () => {
  const digest = (digit: string): string => `sha256:${digit.repeat(64)}`;
  const make = (digit: string, text: string): string =>
    readFileSync(
      files.makeRootDisk("web", digest(digit), () => new TextEncoder().encode(text), null),
      "utf8",
    );
  expect(make("a", "new")).toBe("new");
  ran(5);
  ran(6);
  expect(make("a", "another")).toBe("new");
  expect(make("b", "another")).toBe("another");
  expect(make("a", "third")).toBe("third");
  expect(readdirSync(join(folder, "web")).filter((part) => part.startsWith("root-"))).toHaveLength(1);
  expect(files.list()).toEqual([{ name: "web", epoch: 6 }]);
  files.remove("web");
  expect(readdirSync(folder)).toEqual([]);
});
