import { expect, test } from "vitest";
import { type Interface, vmSpec } from "../../core/index.ts";
import type { KernelImage } from "../images/index.ts";
import { openedFor, type QemuMachineParts, qemuArguments, rootDiskBytes } from "./qemu-command.ts";

const image: KernelImage = {
  kind: "kernel",
  digest: "sha256:0",
  kernelPath: "/i/kernel",
  initrdPath: "/i/initrd",
  commandLine: "quiet",
};
const lan: Interface = {
  address: "10.0.0.7",
  prefixLength: 24,
  gateway: null,
  dns: [],
  vlan: null,
  mac: "02:b1:00:03:00:07",
  tap: "bx-3-7",
};

function parts(changes: Partial<QemuMachineParts> = {}): QemuMachineParts {
  return { name: "web", spec: vmSpec({ memoryMiB: 96 }), interfaces: [], boot: image, accelerator: "tcg", ...changes };
}

function after(args: readonly string[], option: string): string {
  return args[args.indexOf(option) + 1] ?? "";
}

test("a guest gets what it asked for, and nothing else", () => {
  const args = qemuArguments(parts({ spec: vmSpec({ vcpus: 3, memoryMiB: 96 }), interfaces: [lan] }));
  expect(after(args, "-smp")).toBe("3");
  expect(after(args, "-m")).toBe("96M");
  expect(after(args, "-netdev")).toBe("tap,id=net0,fd=20");
  expect(args).toContain("virtio-net-device,netdev=net0,mac=02:b1:00:03:00:07");
  expect(openedFor(parts({ interfaces: [lan] }))).toContainEqual({ fd: 20, kind: "tap", what: "bx-3-7" });
  expect(args).toContain("-nodefaults");
  expect(after(args, "-sandbox")).toBe("on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny");
  expect(after(args, "-append").split(" ")).toEqual(
    expect.arrayContaining(["blixard.name=web", "blixard.address=10.0.0.7", "blixard.gateway=169.254.1.1", "quiet"]),
  );
});

test("emulation bounds its cache, and tells the kernel a clock rate; KVM needs neither", () => {
  const emulated = qemuArguments(parts());
  expect(after(emulated, "-accel")).toBe("tcg,tb-size=64");
  expect(after(emulated, "-append")).toContain("tsc_early_khz=");
  const native = qemuArguments(parts({ accelerator: "kvm" }));
  expect(after(native, "-accel")).toBe("kvm");
  expect(after(native, "-append")).not.toContain("tsc_early_khz=");
});

test.each([
  ["memoryMiB", { memoryMiB: 2048 }],
  ["volumes", { volumes: [{ name: "data", sizeGiB: 1 }] }],
])("what it cannot run it refuses, and names the field: %s", (field, fields) => {
  expect(() => qemuArguments(parts({ spec: vmSpec(fields) }))).toThrow(field);
});

test("a VLAN, and a health check that needs an agent in the guest, are refused too", () => {
  expect(() => qemuArguments(parts({ interfaces: [{ ...lan, vlan: 5 }] }))).toThrow("VLAN");
  const times = { intervalMs: 1, timeoutMs: 1, initialDelayMs: 0, failures: 1, successes: 1, weight: 1 };
  const check = { name: "inside", probe: { kind: "guestAgent" }, critical: false, ...times } as const;
  const spec = vmSpec({ healthChecks: [check] });
  expect(() => qemuArguments(parts({ spec }))).toThrow("inside");
});

const disk = {
  kind: "disk",
  digest: "sha256:0",
  diskPath: "/i/disk",
  format: "qcow2",
  virtualBytes: 3 * 1024 ** 3 + 512,
  rootDisk: "/m/root.qcow2",
} as const;

test("a disk boots on a board with firmware: the image is only read, and names no file to QEMU", () => {
  const args = qemuArguments(parts({ boot: disk, interfaces: [lan], spec: vmSpec({ memoryMiB: 2048 }) }));
  expect(after(args, "-machine")).toMatch(/^q35,/);
  expect(args).toContain("virtio-net-pci,romfile=,netdev=net0,mac=02:b1:00:03:00:07");
  const nodes = args.flatMap((arg, at) => (args[at - 1] === "-blockdev" ? [JSON.parse(arg)] : []));
  expect(nodes).toEqual([
    { driver: "file", "node-name": "image-file", filename: "/proc/self/fd/12", "read-only": true },
    { driver: "qcow2", "node-name": "image", file: "image-file", "read-only": true },
    { driver: "file", "node-name": "root-file", filename: "/proc/self/fd/13", discard: "unmap" },
    { driver: "qcow2", "node-name": "root", file: "root-file", backing: "image", discard: "unmap" },
  ]);
  expect(openedFor({ interfaces: [], boot: disk })).toEqual([
    { fd: 12, kind: "file", what: "/i/disk" },
    { fd: 13, kind: "file", what: "/m/root.qcow2" },
  ]);
  expect(args).not.toContain("-kernel");
});

test("the disk is as large as was asked for, and never smaller than that of the image", () => {
  expect(rootDiskBytes(vmSpec({ diskGiB: 4 }), disk)).toBe(4 * 1024 ** 3);
  expect(() => rootDiskBytes(vmSpec({ diskGiB: 3 }), disk)).toThrow(
    "diskGiB: 3, and the disk of the image has 3221225984 bytes: ask for 4 or more",
  );
});
