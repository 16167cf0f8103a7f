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
