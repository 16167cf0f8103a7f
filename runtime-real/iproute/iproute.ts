/**
 * The program `ip` of iproute2: what the network of this host is, and changes of it. Each call is bounded in time, and
 * nothing passes through a shell.
 */
import { execa } from "execa";
import type { z } from "zod";

/** Longer than a listing of 100,000 routes takes. */
const LIMIT_MS = 10_000;

/** The routes and proxied neighbours that blixard makes carry this number, where others have theirs (rt_protos). */
export const ROUTE_PROTOCOL = 177;

export class IpError extends Error {
  override readonly name = "IpError";
  /** The host has no such program. */
  readonly isMissing: boolean;

  constructor(message: string, isMissing = false) {
    super(message);
    this.isMissing = isMissing;
  }

  get isGone(): boolean {
    return this.message.includes("Cannot find device");
  }

  /** This process may not change the network. */
  get isForbidden(): boolean {
    return this.message.includes("Operation not permitted");
  }
}

/** @throws IpError */
export async function ip(...args: readonly string[]): Promise<string> {
  return await run(args, "");
}

/** What `ip` says as JSON. @throws IpError, ZodError */
export async function ipJson<Out>(schema: z.ZodType<Out>, ...args: readonly string[]): Promise<Out> {
  const text = await run(["-json", ...args], "");
  return schema.parse(JSON.parse(text.trim() === "" ? "[]" : text));
}

/**
 * Carries out all lines, also those behind one that fails.
 * @param words options of `ip`, such as the family.
 * @throws IpError when a line failed: the message is what `ip` said of the first ones.
 */
export async function ipBatch(lines: readonly string[], ...words: readonly string[]): Promise<void> {
  if (lines.length > 0) await run([...words, "-force", "-batch", "-"], `${lines.join("\n")}\n`);
}

async function run(args: readonly string[], input: string): Promise<string> {
  const { failed, stdout, stderr, shortMessage, code } = await execa("ip", args, {
    reject: false,
    // Its handlers of signals would leave the defaults behind: a node that may not write any more would be ended by
    // SIGXFSZ instead of seeing the error.
    cleanup: false,
    input,
    timeout: LIMIT_MS,
    killSignal: "SIGKILL",
  });
  if (!failed) return stdout;
  const said = stderr.trim().split("\n").slice(0, 4).join("; ");
  throw new IpError(`ip ${args.join(" ")}: ${said === "" ? shortMessage : said}`, code === "ENOENT");
}
