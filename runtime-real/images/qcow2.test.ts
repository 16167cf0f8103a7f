/** Disks that are not what they say, and what is told of each. */
import { mkdtempSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { VIRTUAL_BYTES_MAX } from "./description.ts";
import { checkDisk } from "./disk-format.ts";
import { ImageStore } from "./image-store.ts";
import { importDisk, importKernel } from "./import-image.ts";
import { emptyQcow2 } from "./qcow2-overlay.ts";

const CLUSTER_BYTES = 65_536;
const GIB = 1024 ** 3;

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "blixard-images-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function file(bytes: Uint8Array, name = "disk"): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

/** A disk of 1 GiB with one table of the second level and one cluster of data. */
function qcow2(change: (view: DataView) => void = () => undefined): Uint8Array {
  const empty = emptyQcow2(GIB);
  const bytes = new Uint8Array(empty.length + 2 * CLUSTER_BYTES);
  bytes.set(empty);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(Number(view.getBigUint64(40)), BigInt(empty.length) | (1n << 63n));
  view.setBigUint64(empty.length, BigInt(empty.length + CLUSTER_BYTES) | (1n << 63n));
  change(view);
  return bytes;
}

const L1 = 3 * CLUSTER_BYTES;
const L2 = 4 * CLUSTER_BYTES;

test("a qcow2 that stands for itself", async () => {
  expect(await checkDisk(file(qcow2()))).toEqual({ format: "qcow2", virtualBytes: GIB });
  expect(await checkDisk(file(emptyQcow2(GIB)))).toEqual({ format: "qcow2", virtualBytes: GIB });
  // Version 2 has a shorter header, and nothing behind it is looked at.
  const old = qcow2((view) => {
    view.setUint32(4, 2);
    view.setBigUint64(72, 0xffff_ffff_ffff_ffffn);
  });
  expect(await checkDisk(file(old))).toEqual({ format: "qcow2", virtualBytes: GIB });
});

describe("a qcow2 that lies", () => {
  const lies: readonly (readonly [what: string, field: string, words: string, change: (view: DataView) => void])[] = [
    ["claims 8 EiB", "virtualBytes", `the limit is ${VIRTUAL_BYTES_MAX}`, (view) => view.setBigUint64(24, 2n ** 63n)],
    ["claims nothing", "virtualBytes", "0 bytes", (view) => view.setBigUint64(24, 0n)],
    ["claims half a sector", "virtualBytes", "700 bytes", (view) => view.setBigUint64(24, 700n)],
    ["has a backing file", "backingFile", "flatten it", (view) => view.setBigUint64(8, 112n)],
    ["has the name of one", "backingFile", "flatten it", (view) => view.setUint32(16, 11)],
    ["is of another version", "version", "4, not 2 or 3", (view) => view.setUint32(4, 4)],
    ["has tiny clusters", "clusterBits", "0, not 12 to 21", (view) => view.setUint32(20, 0)],
    ["has huge clusters", "clusterBits", "63, not 12 to 21", (view) => view.setUint32(20, 63)],
    ["is encrypted", "encryption", "it is encrypted", (view) => view.setUint32(32, 2)],
    ["has snapshots", "snapshots", "it has snapshots", (view) => view.setUint32(60, 1)],
    ["is marked damaged", "incompatibleFeatures", "0x2", (view) => view.setBigUint64(72, 2n)],
    ["has its data elsewhere", "incompatibleFeatures", "0x4", (view) => view.setBigUint64(72, 4n)],
    ["names where its data is", "externalData", "in another file", (view) => view.setUint32(104, 0x44415441)],
    ["has a header without end", "headerLength", "4294967295", (view) => view.setUint32(100, 0xffff_ffff)],
    ["has a first table without end", "l1Size", "the limit is 4194304", (view) => view.setUint32(36, 0xffff_ffff)],
    ["has a first table that is too short", "l1Size", "1 entries do not cover", (view) => view.setUint32(36, 1)],
    ["has none", "l1Table", "truncated", (view) => view.setBigUint64(40, 0n)],
    ["has it between clusters", "l1Table", "not at a cluster", (view) => view.setBigUint64(40, 8n)],
    ["has it beyond its end", "l1Table", "truncated", (view) => view.setBigUint64(40, 2n ** 40n)],
    ["has the second beyond its end", "l2Table", "truncated", (view) => view.setBigUint64(L1, 2n ** 40n)],
    ["has the second between clusters", "l2Table", "not at a cluster", (view) => view.setBigUint64(L1, 512n)],
    ["has the second twice", "l2Table", "two entries", (view) => view.setBigUint64(L1 + 8, BigInt(L2))],
    ["has data beyond its end", "cluster", "truncated", (view) => view.setBigUint64(L2 + 8, 2n ** 40n)],
    ["has data between clusters", "cluster", "not at a cluster", (view) => view.setBigUint64(L2 + 8, 1024n)],
    [
      "has packed data beyond its end",
      "cluster",
      "truncated",
      (view) => view.setBigUint64(L2, (1n << 62n) | (1n << 40n)),
    ],
  ];

  test.each(lies)("%s: %s", async (_, field, words, change) => {
    await expect(checkDisk(file(qcow2(change)))).rejects.toMatchObject({
      name: "ImageError",
      message: expect.stringContaining(words),
      problem: { field: `disk.${field}` },
    });
  });

  test("whatever byte is changed and wherever it is cut: it is read in time, and refused by an error of its own", async () => {
    const bytes = qcow2();
    for (let at = 0; at < 112; at++) {
      for (const value of [0, 1, 0x7f, 0xff]) {
        const changed = bytes.slice();
        changed[at] = value;
        await checkDisk(file(changed)).catch((error: unknown) => expect(error).toMatchObject({ name: "ImageError" }));
      }
    }
    for (const length of [4, 71, 72, 103, 104, CLUSTER_BYTES, L1, L1 + 8, L2, L2 + 8, L2 + CLUSTER_BYTES])
      await expect(checkDisk(file(bytes.subarray(0, length))), `${length}`).rejects.toMatchObject({
        name: "ImageError",
        message: expect.stringContaining("truncated"),
      });
  });
});

describe("importing", () => {
  const store = (): ImageStore => new ImageStore(join(folder, "store"));

  /** What an import is refused for. Nothing of it is left. */
  async function refusal(imported: Promise<string>): Promise<unknown> {
    const error: unknown = await imported.then(
      () => null,
      (reason: unknown) => reason,
    );
    expect(store().list()).toEqual([]);
    return error;
  }
  const disk = (path: string, sha256: string | null = null, name = "big") =>
    refusal(importDisk(store(), name, { disk: path, sha256 }));

  function raw(sizeBytes: number, hasSignature = true): string {
    const sector = new Uint8Array(512);
    if (hasSignature) sector.set([0x55, 0xaa], 510);
    const path = file(sector, "raw");
    truncateSync(path, sizeBytes);
    return path;
  }

  test("a raw disk with holes, and a qcow2: they are what they were, and take no more room", async () => {
    const digest = await importDisk(store(), "raw", { disk: raw(100 * 1024 ** 2), sha256: null });
    expect(store().find("raw")).toMatchObject({ kind: "disk", digest, format: "raw", virtualBytes: 100 * 1024 ** 2 });
    expect(store().describe(digest).files[0]?.chunks).toHaveLength(100);
    const { blocks } = statSync(join(folder, "store", digest.replace(":", "-"), "disk"));
    expect(blocks * 512).toBeLessThan(2 * 1024 ** 2);
    await importDisk(store(), "cow", { disk: file(qcow2()), sha256: null });
    expect(store().find("cow")).toMatchObject({ kind: "disk", format: "qcow2", virtualBytes: GIB });
  });

  test("what is refused, and for what", async () => {
    expect(await disk(raw(10 * GIB))).toMatchObject({
      message: expect.stringMatching(/^disk: .*raw has 10737418240 bytes, the limit is 8589934592$/),
      problem: { field: "disk", limit: 8 * GIB },
    });
    expect(await disk(raw(1000))).toMatchObject({ message: expect.stringContaining("truncated") });
    expect(await disk(raw(1024, false))).toMatchObject({ message: expect.stringContaining("no boot signature") });
    expect(await disk(file(new Uint8Array()))).toMatchObject({ message: expect.stringContaining("is empty") });
    expect(await disk(file(Uint8Array.of(0x51)))).toMatchObject({ name: "ImageError" });
    expect(await disk(folder)).toMatchObject({ message: expect.stringContaining("is no file") });
    expect(await disk("/dev/zero")).toMatchObject({ message: expect.stringContaining("is no file") });
    expect(await disk(join(folder, "none"))).toMatchObject({ message: expect.stringContaining("ENOENT") });
    expect(await disk(raw(1024), "00")).toMatchObject({ problem: { field: "sha256" } });
    expect(await disk(raw(1024), null, "../x")).toMatchObject({ problem: { field: "name" } });
    const kernel = (kernelPath: string, initrd: string) =>
      refusal(importKernel(store(), "small", { kernel: kernelPath, initrd, commandLine: "" }));
    const elf = file(Uint8Array.of(0x7f, 0x45, 0x4c, 0x46), "elf");
    const text = file(new TextEncoder().encode("#!/bin/sh"), "text");
    expect(await kernel(text, elf)).toMatchObject({ problem: { field: "kernel" } });
    expect(await kernel(elf, text)).toMatchObject({ problem: { field: "initrd" } });
  });
});
