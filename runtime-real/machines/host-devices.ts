/** The devices of guests on this host, with the addresses that the machines of their owners have. Changes nothing. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type GuestDevice, guestDevices } from "../guest-network/index.ts";
import { runSchema } from "./files.ts";

export interface HostDevice extends GuestDevice {
  /** Of its guest; null: not known. */
  readonly address: string | null;
}

/** None where `ip` is missing. */
export async function devicesHere(): Promise<readonly HostDevice[]> {
  const devices = await guestDevices().catch(() => []);
  return devices.map((device) => ({
    ...device,
    address: device.owner === null ? null : addressOf(device.owner, device.name),
  }));
}

function addressOf(folder: string, tap: string): string | null {
  try {
    for (const path of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
      if (!/^[^/]+\/run-\d+\/run\.json$/.test(path)) continue;
      const { interfaces } = runSchema.parse(JSON.parse(readFileSync(join(folder, path), "utf8")));
      const found = interfaces.find((one) => one.tap === tap);
      if (found !== undefined) return found.address;
    }
  } catch {
    // Another user's, or it is being removed.
  }
  return null;
}
