/**
 * The network of guests on a host where this process may change none: guests get devices that root has made in advance
 * (scripts/setup-tap-networking.sh), with their routes and rules. The device of an address is the one that the host
 * routes it to.
 */
import { z } from "zod";
import type { Interface } from "../../core/index.ts";
import { ipJson } from "../iproute/index.ts";
import { guestDevices } from "./devices.ts";
import type { HostNetwork } from "./host-network.ts";

const routesSchema = z.array(z.object({ dev: z.string().optional() }));

/** The host has no device for that address. */
export class NoDeviceError extends Error {
  override readonly name = "NoDeviceError";
}

export class PreparedNetwork implements HostNetwork {
  async interfacesFor(asked: readonly Interface[]): Promise<readonly Interface[]> {
    const prepared = new Set((await guestDevices()).flatMap(({ name, isPrepared }) => (isPrepared ? [name] : [])));
    const found: Interface[] = [];
    for (const one of asked) {
      const family = one.address.includes(":") ? "-6" : "-4";
      const routes = await ipJson(routesSchema, family, "route", "show", one.address);
      const device = routes.find(({ dev }) => dev !== undefined && prepared.has(dev))?.dev;
      if (device === undefined)
        throw new NoDeviceError(
          `${one.address} has no tap device, and this node may make none: run it as root, or make them with sudo scripts/setup-tap-networking.sh --user USER --subnet SUBNET`,
        );
      found.push({ ...one, tap: device, gateway: null });
    }
    return found;
  }

  create(): Promise<void> {
    return Promise.resolve();
  }

  keepOnly(): Promise<void> {
    return Promise.resolve();
  }

  close(): void {
    // It has begun nothing.
  }
}
