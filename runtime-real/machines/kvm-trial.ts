/**
 * Whether guests boot under KVM on this host. /dev/kvm may exist, open and make machines in which no kernel comes
 * anywhere, as on some virtual hosts. So one is tried: a kernel without a root, which panics when it has come that
 * far, and resets its machine. What came of it holds until the host boots again.
 *
 *     kvm-trial.json     in the directory of the machines
 */
import { spawn } from "node:child_process";
import { accessSync, closeSync, constants, openSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { release } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { Tail } from "../processes/index.ts";
import type { Accelerator } from "../worker/index.ts";
import { whyNotKvm } from "./confinement.ts";
import { shutdownCause } from "./end-cause.ts";
import { eachLine } from "./lines.ts";
import { HELLO, trialArguments } from "./qemu-command.ts";

/** A kernel that boots under KVM needs less than a second, and a few where KVM itself is virtual. */
export const TRIAL_LIMIT_MS = 10_000;

const FILE = "kvm-trial.json";

const trialSchema = z.object({ hostBootId: z.string(), works: z.boolean(), found: z.string() });

export interface KvmTrial {
  readonly works: boolean;
  /** For people. */
  readonly found: string;
}

/** What is known since the host has booted; null: nothing has been tried. */
export function knownTrial(folder: string): KvmTrial | null {
  try {
    const { hostBootId, ...trial } = trialSchema.parse(JSON.parse(readFileSync(join(folder, FILE), "utf8")));
    return hostBootId === bootIdOfHost() ? trial : null;
  } catch {
    // Not there, or cut off when the power failed: it is tried again.
    return null;
  }
}

/**
 * What is known, or else what a trial says; takes `TRIAL_LIMIT_MS` at most.
 *
 * @param kernels paths, the first that can be read is tried; the kernel of the host itself comes last.
 */
export async function kvmTrial(folder: string, qemu: string, kernels: readonly string[]): Promise<KvmTrial> {
  const missing = whyNotOpen() ?? whyNotKvm();
  // Not remembered: somebody may change that while the host goes on.
  if (missing !== null) return { works: false, found: missing };
  const known = knownTrial(folder);
  if (known !== null) return known;
  const hostKernels = [`/boot/vmlinuz-${release()}`, "/run/booted-system/kernel"];
  const kernel = [...kernels, ...hostKernels].find(isReadable);
  if (kernel === undefined) return { works: false, found: "not tried: there is no kernel to try it with" };
  const trial = await tryBoot(qemu, kernel, "kvm", TRIAL_LIMIT_MS);
  const path = join(folder, FILE);
  writeFileSync(`${path}.new`, JSON.stringify({ hostBootId: bootIdOfHost(), ...trial }), { mode: 0o600 });
  renameSync(`${path}.new`, path);
  return trial;
}

/** Boots `kernel` until it finds no root. */
export async function tryBoot(
  qemu: string,
  kernel: string,
  accelerator: Accelerator,
  limitMs: number,
): Promise<KvmTrial> {
  const child = spawn(qemu, trialArguments(kernel, accelerator), { stdio: "pipe" });
  const lastWords = new Tail(1024);
  const { promise: ended, resolve: end } = Promise.withResolvers<KvmTrial>();
  const fail = (found: string): void => end({ works: false, found });
  const limit = setTimeout(() => fail(`a guest did not boot in ${limitMs / 1000} s`), limitMs);
  let cause: string | null = null;
  child.stdin.on("error", () => undefined);
  child.stdin.write(`${HELLO}\n`);
  eachLine(child.stdout, (line) => {
    cause = shutdownCause(line) ?? cause;
  });
  child.stderr.on("data", (bytes: Buffer) => lastWords.add(bytes.toString()));
  child.once("error", (error) => fail(`no guest could be started: ${error.message}`));
  child.once("close", (code, signal) => {
    const said = lastWords.text.trim().split("\n").at(-1);
    if (cause === "guest-reset") end({ works: true, found: "a guest has booted" });
    else fail(`a guest did not boot: ${said || (signal ?? `exit code ${code}`)}`);
  });
  try {
    return await ended;
  } finally {
    clearTimeout(limit);
    child.kill("SIGKILL");
  }
}

/** Null: it opens. */
function whyNotOpen(): string | null {
  try {
    closeSync(openSync("/dev/kvm", "r+"));
    return null;
  } catch (error) {
    return `/dev/kvm does not open: ${error instanceof Error ? error.message : String(error)}`;
  }
}

function isReadable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}

function bootIdOfHost(): string {
  return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
}
