/** Opens the driver that a host was told to use. */
import { join, resolve } from "node:path";
import { execa } from "execa";
import type { Logger } from "pino";
import { NodeStartError } from "../errors/index.ts";
import { ImageStore } from "../images/index.ts";
import type { Driver, WorkerOptions } from "../worker/index.ts";
import { QemuDriver } from "./qemu-driver.ts";

const QEMU = "qemu-system-x86_64";

/** Resolves when it knows every machine on the host; to null when the host is to run none. @throws NodeStartError */
export async function openDriver(dataDir: string, options: WorkerOptions, log: Logger): Promise<Driver | null> {
  switch (options.vmDriver) {
    case null:
      return null;
    case "qemu": {
      await demand(QEMU, ["--version"], "apt-get install qemu-system-x86");
      await demand("setpriv", ["--version"], "apt-get install util-linux");
      await demand("flock", ["--version"], "apt-get install util-linux");
      return await QemuDriver.open({
        folder: join(resolve(dataDir), "machines"),
        images: new ImageStore(join(resolve(dataDir), "images")),
        accelerator: options.accelerator,
        qemu: QEMU,
        log,
      });
    }
  }
}

async function demand(program: string, args: readonly string[], remedy: string): Promise<void> {
  const { failed } = await execa(program, args, { reject: false });
  if (failed) throw new NodeStartError(`${program} is missing, which --vm-driver qemu needs`, remedy);
}
