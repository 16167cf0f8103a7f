/** `blixard doctor`: what this host lacks to run a node and VMs, and how to mend each. */

import { createSocket } from "node:dgram";
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fdatasyncSync,
  mkdtempSync,
  openSync,
  rmSync,
  statfsSync,
  statSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ApiError, connectApi, DEFAULT_BIND, isWorkerDirectory } from "../../runtime-real/index.ts";
import { dataDirOption } from "../client/index.ts";
import { type CommandGroup, EXIT, withExamples } from "../frame/index.ts";
import { type Terminal, table } from "../output/index.ts";

export interface Finding {
  readonly check: string;
  /** warning: something will not work. failed: a node cannot run. */
  readonly state: "ok" | "warning" | "failed";
  readonly found: string;
  /** How to mend it; null when there is nothing to mend. */
  readonly mend: string | null;
}

interface DoctorOptions {
  readonly dataDir: string;
  readonly bind: string;
  readonly json?: true;
}

type Check = (options: DoctorOptions) => Promise<Omit<Finding, "check">> | Omit<Finding, "check">;

export const registerDoctor: CommandGroup = (program, session) => {
  withExamples(program.command("doctor"), ["blixard doctor", "blixard doctor --data-dir /var/lib/blixard --json"])
    .description("Check this host, and say how to mend what is missing. Exit code 1 when a node cannot run here.")
    .addOption(dataDirOption())
    .option("--bind <host:port>", "where a node is to listen", DEFAULT_BIND)
    .option("--json", "print one JSON object instead")
    .action(async (options: DoctorOptions) => {
      const findings = await examine(options);
      if (options.json === true) session.terminal.out(JSON.stringify({ findings }));
      else for (const line of renderFindings(findings, session.terminal)) session.terminal.out(line);
      session.end(findings.some(({ state }) => state === "failed") ? EXIT.failed : EXIT.holds);
    });
};

export async function examine(options: DoctorOptions): Promise<readonly Finding[]> {
  return await Promise.all(Object.entries(checks).map(async ([check, look]) => ({ check, ...(await look(options)) })));
}

export function renderFindings(findings: readonly Finding[], { paintOut }: Pick<Terminal, "paintOut">): string[] {
  const colours = { ok: "green", warning: "yellow", failed: "red" } as const;
  return findings.flatMap(({ check, state, found, mend }) => [
    ...table("<<<", [[paintOut(colours[state], state.padEnd(7)), check.padEnd(16), found]]),
    ...(mend === null ? [] : [`         mend: ${mend}`]),
  ]);
}

const ok = (found: string) => ({ state: "ok", found, mend: null }) as const;
const warning = (found: string, mend: string) => ({ state: "warning", found, mend }) as const;
const failed = (found: string, mend: string) => ({ state: "failed", found, mend }) as const;

const checks: Readonly<Record<string, Check>> = {
  node() {
    const major = Number(process.versions.node.split(".")[0]);
    return major >= 24
      ? ok(`Node ${process.versions.node}`)
      : failed(`Node ${process.versions.node}`, "blixard needs Node 24 or newer");
  },

  "data directory"({ dataDir }) {
    if (!existsSync(dataDir)) return ok(`${dataDir} does not exist yet; a node makes it`);
    try {
      accessSync(dataDir, constants.R_OK | constants.W_OK | constants.X_OK);
    } catch {
      return failed(`${dataDir} may not be written by this user`, `chown it to the user that runs the node`);
    }
    const open = statSync(dataDir).mode & 0o077;
    const key = join(dataDir, "identity.key");
    if (existsSync(key) && (statSync(key).mode & 0o077) !== 0)
      return failed(`others may read ${key}`, `chmod 600 ${key}`);
    return open === 0
      ? ok(`${dataDir} is this user's alone`)
      : warning(`others may look into ${dataDir}`, `chmod 700 ${dataDir}`);
  },

  disk({ dataDir }) {
    const place = existsSync(dataDir) ? dataDir : ".";
    const { p50Ms, p99Ms } = syncTimes(existsSync(place) ? place : tmpdir());
    const { bavail, bsize } = statfsSync(place);
    const freeGiB = (bavail * bsize) / 2 ** 30;
    const found = `a sync takes ${p50Ms.toFixed(2)} ms, ${p99Ms.toFixed(2)} ms at worst; ${freeGiB.toFixed(1)} GiB free`;
    if (freeGiB < 1) return failed(found, "make room: a node that cannot write stops");
    return p50Ms > 20
      ? warning(found, "each write waits for a sync: use a faster disk for the data directory")
      : ok(found);
  },

  "peer port": ({ bind }) => portIsFree(bind),

  clock: async () => {
    const shown = await run("timedatectl", ["show", "-p", "NTPSynchronized", "--value"]);
    if (shown === "yes") return ok("synchronised");
    const tracking = await run("chronyc", ["-n", "tracking"]);
    if (tracking !== null && /Leap status\s*: Normal/.test(tracking)) return ok("synchronised by chrony");
    return warning(
      shown === null && tracking === null
        ? "cannot be told: neither timedatectl nor chronyc answers"
        : "not synchronised",
      "run chrony or systemd-timesyncd: a host whose clock is a minute off is not let into a cluster",
    );
  },

  "/dev/kvm"() {
    if (!existsSync("/dev/kvm"))
      return warning(
        "missing: VMs would be emulated, slowly",
        "enable virtualisation in the firmware, or load the module kvm_intel or kvm_amd",
      );
    try {
      closeSync(openSync("/dev/kvm", "r+"));
      return ok("opens; whether guests boot on it is only known once one does");
    } catch {
      return warning("may not be opened by this user", "add the user to the group kvm: usermod -aG kvm USER");
    }
  },

  "/dev/net/tun"() {
    if (!existsSync("/dev/net/tun")) return warning("missing: no tap devices for VMs", "modprobe tun");
    try {
      closeSync(openSync("/dev/net/tun", "r+"));
      return ok("opens");
    } catch {
      return warning(
        "may not be opened by this user",
        "tap devices need it: run the node as a user that may, or as root",
      );
    }
  },

  nix: async () => {
    const version = await run("nix", ["--version"]);
    if (version === null)
      return warning("not installed: microvm.nix cannot build guests", "install Nix; the qemu driver does without");
    const features = await run("nix", ["show-config", "--extra-experimental-features", "nix-command"]);
    const hasFlakes = features !== null && /experimental-features = .*\bflakes\b/.test(features);
    return hasFlakes
      ? ok(version)
      : warning(`${version}, without flakes`, "experimental-features = nix-command flakes in nix.conf");
  },

  systemd: async () => {
    const state = await run("systemctl", ["--user", "is-system-running"]);
    return state === "running" || state === "degraded"
      ? ok(`user manager is ${state}`)
      : warning(
          "no user manager answers: VMs of the microvm driver live in its units",
          "loginctl enable-linger USER, and log in anew",
        );
  },

  "running node": async ({ dataDir }) => {
    const api = connectApi({ socketPath: join(dataDir, "api.sock") });
    try {
      const { node, leaderId, quorum } = await api.call("cluster.status", {}, { timeoutMs: 2000 });
      if (!quorum.has)
        return warning(
          `node ${node.id} runs, without a quorum`,
          `start the missing nodes: ${quorum.missing.join(", ")}`,
        );
      return ok(`node ${node.id} (${node.role}); node ${leaderId ?? "none"} leads`);
    } catch (error) {
      if (error instanceof ApiError) return warning(error.message, error.hint);
      return ok(
        isWorkerDirectory(dataDir) ? `in ${dataDir}, if any, only works: it answers no commands` : `none in ${dataDir}`,
      );
    } finally {
      await api.close();
    }
  },
};

function syncTimes(folder: string): { readonly p50Ms: number; readonly p99Ms: number } {
  const nest = mkdtempSync(join(folder, ".doctor-"));
  const file = openSync(join(nest, "sync"), "w");
  const timesMs: number[] = [];
  try {
    const block = new Uint8Array(4096);
    for (let n = 0; n < 50; n++) {
      const startMs = performance.now();
      writeSync(file, block);
      fdatasyncSync(file);
      timesMs.push(performance.now() - startMs);
    }
  } finally {
    closeSync(file);
    rmSync(nest, { recursive: true });
  }
  timesMs.sort((a, b) => a - b);
  return { p50Ms: timesMs[25] ?? 0, p99Ms: timesMs[49] ?? 0 };
}

function portIsFree(bind: string): Promise<Omit<Finding, "check">> {
  const at = bind.lastIndexOf(":");
  const host = bind.slice(0, at).replace(/^\[|\]$/g, "");
  const port = Number(bind.slice(at + 1));
  if (at < 1 || !Number.isInteger(port) || port < 0 || port > 65_535)
    return Promise.resolve(failed(`${bind} is no address`, "give --bind HOST:PORT, such as 127.0.0.1:7001"));
  return new Promise((resolve) => {
    const socket = createSocket(host.includes(":") ? "udp6" : "udp4");
    socket.once("error", (error) => {
      socket.close();
      const isTaken = "code" in error && error.code === "EADDRINUSE";
      resolve(
        isTaken
          ? warning(
              `${bind} (UDP) is in use`,
              "by the running node, if there is one; otherwise choose another with --bind",
            )
          : failed(`${bind} (UDP) cannot be used: ${error.message}`, "choose an address of this host with --bind"),
      );
    });
    socket.bind(port, host, () => socket.close(() => resolve(ok(`${bind} (UDP) is free`))));
  });
}

/** What a command prints; null when it is not there, fails or hangs. */
async function run(command: string, args: readonly string[]): Promise<string | null> {
  const { execa } = await import("execa");
  const { stdout, failed: hasFailed } = await execa(command, args, { timeout: 3000, reject: false, stdin: "ignore" });
  return hasFailed && stdout === undefined ? null : hasFailed && stdout.trim() === "" ? null : (stdout ?? "").trim();
}
