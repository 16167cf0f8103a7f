/** Every check, by its name in the report. */
import { accessSync, closeSync, constants, existsSync, openSync, statfsSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ApiError, connectApi, isWorkerDirectory, loadMachines } from "../../../runtime-real/index.ts";
import { type Check, failed, ok, warning } from "./finding.ts";
import { networkChecks } from "./network-checks.ts";
import { portIsFree } from "./port.ts";
import { run } from "./run.ts";
import { syncTimes } from "./sync-times.ts";

export const checks: Readonly<Record<string, Check>> = {
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

  "/dev/kvm": async ({ dataDir }) => {
    if (!existsSync("/dev/kvm"))
      return warning(
        "missing: VMs would be emulated, slowly",
        "enable virtualisation in the firmware, or load the module kvm_intel or kvm_amd",
      );
    try {
      closeSync(openSync("/dev/kvm", "r+"));
    } catch {
      return warning("may not be opened by this user", "add the user to the group kvm: usermod -aG kvm USER");
    }
    const { knownKvm } = await loadMachines();
    const trial = knownKvm(dataDir);
    if (trial === null)
      return ok("opens; whether guests boot with it is tried when a node starts with --vm-driver qemu");
    return trial.works
      ? ok(trial.found)
      : warning(
          `opens, but ${trial.found}: VMs are emulated, slowly`,
          "enable nested virtualisation, if this host is a VM",
        );
  },

  "/dev/net/tun"() {
    if (!existsSync("/dev/net/tun"))
      return warning("missing: no tap devices for VMs", "sudo scripts/setup-tap-networking.sh, or modprobe tun");
    try {
      closeSync(openSync("/dev/net/tun", "r+"));
      return ok("opens");
    } catch {
      return warning(
        "may not be opened by this user",
        "tap devices need it: run the node as root, or sudo scripts/setup-tap-networking.sh --user USER",
      );
    }
  },

  ...networkChecks,

  qemu: async () => {
    const version = await run("qemu-system-x86_64", ["--version"]);
    return version === null
      ? warning("not installed: --vm-driver qemu cannot run VMs", "apt-get install qemu-system-x86")
      : ok(version.split("\n")[0] ?? version);
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
