import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { loadImages } from "../../../runtime-real/index.ts";
import { blixard } from "../../testing/index.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "blixard-test-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("the images of a host, and how to make one where there is none", async () => {
  const dataDir = join(folder, "data");
  const none = await blixard(["image", "list", "--data-dir", dataDir]);
  expect(none).toMatchObject({ code: 0, out: "", err: expect.stringContaining("blixard image build demo") });
  expect(existsSync(dataDir)).toBe(false);

  writeFileSync(join(folder, "file"), "kernel or initrd");
  const { ImageStore } = await loadImages();
  const file = join(folder, "file");
  const digest = await new ImageStore(join(dataDir, "images")).add(file, file, "", "small");
  expect((await blixard(["image", "list", "--data-dir", dataDir])).out).toMatch(
    new RegExp(`^NAME +DIGEST\nsmall +${digest}$`),
  );
  const { out } = await blixard(["image", "list", "--data-dir", dataDir, "--json"]);
  expect(JSON.parse(out)).toEqual({ images: [{ digest, names: ["small"] }] });
});

test("an import that is not said of what, or of what is none, makes nothing", async () => {
  const args = ["image", "import", "--name", "mine", "--data-dir", folder];
  for (const files of [[], ["--kernel", "k"], ["--disk", "d", "--initrd", "i"], ["--sha256", "00"]])
    expect(await blixard([...args, ...files]), files.join(" ")).toMatchObject({ code: 2 });
  writeFileSync(join(folder, "file"), "no disk");
  expect(await blixard([...args, "--disk", join(folder, "file")])).toMatchObject({
    code: 1,
    err: expect.stringMatching(/^error: disk: .*\nhint: nothing was imported/),
  });
  expect((await blixard(["image", "list", "--data-dir", folder, "--json"])).out).toBe('{"images":[]}');
  for (const command of ["show", "remove"])
    expect(await blixard(["image", command, "mine", "--data-dir", folder])).toMatchObject({
      code: 1,
      err: expect.stringContaining("there is no image mine on this host"),
    });
});

test("an image that is made where no member runs is made, and it is said that there is no copy", async () => {
  const disk = new Uint8Array(1024);
  disk.set([0x55, 0xaa], 510);
  writeFileSync(join(folder, "disk"), disk);
  const args = ["image", "import", "--name", "mine", "--disk", join(folder, "disk"), "--data-dir", folder];
  const made = await blixard(args);
  expect(made).toMatchObject({ code: 0, out: expect.stringMatching(/^mine sha256:[0-9a-f]{64}$/) });
  expect(made.err).toBe(`no member of a cluster runs in ${folder}: no other worker was asked to have a copy`);
  expect((await blixard([...args, "--no-wait"])).err).toBe("");
  const { image } = JSON.parse((await blixard(["image", "show", "mine", "--json", "--data-dir", folder])).out);
  expect(image).toMatchObject({ kind: "disk", format: "raw", virtualBytes: 1024, usedBy: [] });
});
