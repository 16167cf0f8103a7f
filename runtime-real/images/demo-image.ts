/**
 * Makes the demo image: a small guest from Debian's cloud kernel and busybox. It answers HTTP with its name, address
 * and boot id, has a shell on its console, and powers off when it is asked to.
 */
import { constants, readdirSync } from "node:fs";
import {
  access,
  chmod,
  copyFile,
  lstat,
  lutimes,
  mkdir,
  mkdtemp,
  readdir,
  rm,
  symlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { ImageError } from "./image-error.ts";
import type { ImageStore } from "./image-store.ts";

const KERNEL_PACKAGE = "linux-image-cloud-amd64";
const BUSYBOX_PACKAGE = "busybox-static";

/** In the order in which they are loaded. */
const MODULES = [
  "drivers/virtio/virtio_ring",
  "drivers/virtio/virtio",
  "drivers/virtio/virtio_mmio",
  "drivers/virtio/virtio_pci_legacy_dev",
  "drivers/virtio/virtio_pci_modern_dev",
  "drivers/virtio/virtio_pci",
  "net/core/failover",
  "drivers/net/net_failover",
  "drivers/net/virtio_net",
  "drivers/acpi/button",
  "drivers/input/evdev",
];

/** The words `blixard.KEY=VALUE` of the kernel's command line become variables. */
const INIT = `#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
for module in ${MODULES.map((path) => path.slice(path.lastIndexOf("/") + 1)).join(" ")}; do
  insmod /lib/modules/$module.ko
done
for word in $(cat /proc/cmdline); do
  case $word in blixard.*=*) key=\${word%%=*}; export "blixard_\${key#blixard.}=\${word#*=}" ;; esac
done
hostname "\${blixard_name:-demo}"
ip link set lo up
if [ -n "$blixard_address" ]; then
  case $blixard_address in *:*) length=128 ;; *) length=32 ;; esac
  ip link set eth0 up
  ip addr add "$blixard_address/$length" dev eth0
  ip route add "$blixard_gateway" dev eth0
  ip route add default via "$blixard_gateway" dev eth0
fi
echo "$(hostname) \${blixard_address:--} $(cat /proc/sys/kernel/random/boot_id)" > /www/index.html
httpd -p 80 -h /www
acpid
echo "blixard demo: $(hostname) is up \${blixard_address}"
exec setsid cttyhack sh
`;

const POWER_OFF = `#!/bin/sh
poweroff -f
`;

export type DemoProgress = (step: string) => void;

/**
 * Resolves to its digest.
 *
 * @throws ImageError when a program or a package that it needs is missing.
 */
export async function buildDemoImage(store: ImageStore, progress: DemoProgress): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "blixard-demo-"));
  try {
    for (const program of ["apt-get", "dpkg-deb", "cpio"]) await demand(program);
    progress("fetching the kernel and busybox");
    const kernelPackage = await currentKernel();
    await run("apt-get", ["download", kernelPackage, BUSYBOX_PACKAGE], folder);
    progress("unpacking");
    for (const name of readdirSync(folder).filter((entry) => entry.endsWith(".deb")))
      await run("dpkg-deb", ["-x", name, "unpacked"], folder);
    const version = kernelPackage.replace(/^linux-image-/, "");
    const unpacked = join(folder, "unpacked");
    const root = join(folder, "root");
    progress("making the guest");
    await fill(root, unpacked, version);
    const initrd = join(folder, "initrd");
    await writeFile(initrd, await archiveOf(root));
    return await store.add(join(unpacked, "boot", `vmlinuz-${version}`), initrd, "", "demo");
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function fill(root: string, unpacked: string, version: string): Promise<void> {
  for (const path of ["bin", "proc", "sys", "dev", "lib/modules", "www", "etc/acpi/PWRF", "var/log", "var/run"])
    await mkdir(join(root, path), { recursive: true });
  await copyFile(join(unpacked, "bin", "busybox"), join(root, "bin", "busybox"));
  await symlink("busybox", join(root, "bin", "sh"));
  for (const path of MODULES) {
    const from = join(unpacked, "lib", "modules", version, "kernel", `${path}.ko`);
    await copyFile(from, join(root, "lib", "modules", `${path.slice(path.lastIndexOf("/") + 1)}.ko`));
  }
  await writeFile(join(root, "init"), INIT);
  await writeFile(join(root, "etc/acpi/PWRF/00000080"), POWER_OFF);
}

/**
 * All files as the kernel unpacks them. The same files give the same bytes on every host, whoever asks and whenever,
 * so that an image made of the same packages has the same digest everywhere.
 */
async function archiveOf(root: string): Promise<Uint8Array> {
  const paths = (await readdir(root, { recursive: true })).sort();
  for (const path of paths.map((name) => join(root, name))) {
    if (!(await lstat(path)).isSymbolicLink()) await chmod(path, 0o755);
    await lutimes(path, 0, 0);
  }
  const reproducible = ["--reproducible", "--owner=+0:+0"];
  const { stdout } = await execa("cpio", ["--create", "--format=newc", "--null", "--quiet", ...reproducible], {
    cwd: root,
    input: paths.join("\0"),
    encoding: "buffer",
  });
  return stdout;
}

/** The package with the kernel itself, which the other one depends on. */
async function currentKernel(): Promise<string> {
  const { stdout } = await run("apt-cache", ["show", "--no-all-versions", KERNEL_PACKAGE], "/");
  const [, name] = /^Depends: (linux-image-[a-z0-9.+-]+)/m.exec(stdout) ?? [];
  if (name === undefined) throw new ImageError(`there is no package ${KERNEL_PACKAGE}: run apt-get update`);
  return name;
}

async function run(command: string, args: readonly string[], cwd: string) {
  try {
    return await execa(command, args, { cwd });
  } catch (error) {
    throw new ImageError(`${command} failed: ${error instanceof Error ? error.message : String(error)}`);
  }
}

async function demand(program: string): Promise<void> {
  for (const folder of (process.env["PATH"] ?? "").split(":")) {
    try {
      await access(join(folder, program), constants.X_OK);
      return;
    } catch {
      // Not in this one.
    }
  }
  throw new ImageError(`the program ${program} is missing: install the packages apt, dpkg and cpio`);
}
