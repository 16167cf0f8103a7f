import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ImageStore } from "./image-store.ts";

let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "blixard-images-"));
  writeFileSync(join(folder, "kernel"), "kernel");
  writeFileSync(join(folder, "initrd"), "initrd");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function add(store: ImageStore, commandLine: string, name: string): Promise<string> {
  return await store.add(join(folder, "kernel"), join(folder, "initrd"), commandLine, name);
}

test("an image is found by its name and by its digest, and is what was added", async () => {
  const store = new ImageStore(join(folder, "store"));
  const digest = await add(store, "quiet", "demo");
  expect(digest).toMatch(/^sha256:[0-9a-f]{64}$/);
  const found = new ImageStore(join(folder, "store")).find("demo");
  expect(found).toEqual(store.find(digest));
  if (found.kind !== "kernel") expect.fail(found.kind);
  expect(found.commandLine).toBe("quiet");
  expect(readFileSync(found.kernelPath, "utf8")).toBe("kernel");
});

test("what is the same is one image with two names; what differs is another", async () => {
  const store = new ImageStore(join(folder, "store"));
  const digest = await add(store, "", "one");
  expect(await add(store, "", "two")).toBe(digest);
  const other = await add(store, "debug", "two");
  expect(store.list()).toEqual(
    [
      { digest, names: ["one"] },
      { digest: other, names: ["two"] },
    ].sort((a, b) => (a.digest < b.digest ? -1 : 1)),
  );
});

test("to look makes nothing", () => {
  expect(new ImageStore(join(folder, "store")).list()).toEqual([]);
  expect(existsSync(join(folder, "store"))).toBe(false);
});

test.each(["none", "sha256:00", `sha256:${"0".repeat(64)}`, "../store", "__proto__"])("there is no %s", (name) => {
  expect(() => new ImageStore(join(folder, "store")).find(name)).toThrow("there is no image");
});
