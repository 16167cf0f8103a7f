/** Health checks that the host can do by itself: over the network, and by what the guest writes on its console. */
import { connect } from "node:net";
import { join } from "node:path";
import type { HealthProbe } from "../../core/index.ts";
import { CONSOLE_FILES } from "./console-file.ts";
import { textOf } from "./files.ts";

/** Null: this host can do it. */
export function whyNot(probe: HealthProbe): string | null {
  return probe.kind === "script" || probe.kind === "process" || probe.kind === "guestAgent"
    ? `a check by ${probe.kind} needs an agent in the guest, which this driver does not talk to`
    : null;
}

/** @param address null: the guest has none. @param folder that of its run. */
export async function isHealthy(
  probe: HealthProbe,
  address: string | null,
  folder: string,
  timeoutMs: number,
): Promise<boolean> {
  switch (probe.kind) {
    case "http":
      return address !== null && (await answersHttp(address, probe.port, probe.path, timeoutMs));
    case "tcp":
      return address !== null && (await accepts(address, probe.port, timeoutMs));
    case "console":
      return Object.values(CONSOLE_FILES).some((name) => textOf(join(folder, name))?.includes(probe.pattern) === true);
    case "script":
    case "process":
    case "guestAgent":
      return false;
  }
}

async function answersHttp(address: string, port: number, path: string, timeoutMs: number): Promise<boolean> {
  const host = address.includes(":") ? `[${address}]` : address;
  try {
    const url = new URL(path.startsWith("/") ? path : `/${path}`, `http://${host}:${port}`);
    const answer = await fetch(url, { redirect: "manual", signal: AbortSignal.timeout(timeoutMs) });
    await answer.body?.cancel();
    return answer.status >= 200 && answer.status < 400;
  } catch {
    return false;
  }
}

async function accepts(host: string, port: number, timeoutMs: number): Promise<boolean> {
  const socket = connect({ host, port, signal: AbortSignal.timeout(timeoutMs) });
  try {
    return await new Promise((resolve) => {
      socket.once("connect", () => resolve(true));
      socket.once("error", () => resolve(false));
    });
  } finally {
    socket.destroy();
  }
}
