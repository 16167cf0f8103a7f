/**
 * Why a machine has ended, from what QEMU itself wrote: its last SHUTDOWN event says what caused it. An exit code alone
 * says nothing.
 */
import { z } from "zod";
import type { RunEnd } from "./files.ts";

/** `cause` is one of QMP's `ShutdownCause`; `killed`: its process ended without a word. */
export interface EndCause {
  readonly cause: string;
  /** As it was asked to, or the guest powered off by itself. */
  readonly isOrderly: boolean;
  /** For people. */
  readonly reason: string;
}

const shutdownSchema = z.object({
  event: z.literal("SHUTDOWN"),
  data: z.object({ guest: z.boolean(), reason: z.string() }),
});

const WORDS: Readonly<Record<string, string>> = {
  "guest-shutdown": "the guest powered off",
  "guest-reset": "the guest rebooted",
  "guest-panic": "the guest's kernel panicked",
  "host-signal": "a signal ended it",
  "host-qmp-quit": "ended: it had not powered off in time",
  "host-error": "the host failed it",
};

/**
 * @param events what QEMU wrote, an event a line; the last line may be cut off.
 * @param wasAsked somebody had asked it to stop.
 */
export function causeOf(end: RunEnd | null, events: string, errors: string, wasAsked: boolean): EndCause {
  if (end?.how === "fenced") return { cause: "fenced", isOrderly: false, reason: "fenced" };
  const failure = errors.trim().split("\n").at(-1) ?? "";
  if (end?.how === "notStarted")
    return { cause: "not-started", isOrderly: false, reason: `it could not be started: ${end.detail}` };
  const cause = lastShutdown(events);
  if (cause === null) {
    if (wasAsked) return { cause: "killed", isOrderly: true, reason: "ended: it had not powered off in time" };
    if (end === null) return { cause: "unknown", isOrderly: false, reason: "ended while nobody saw it" };
    const detail = failure === "" ? end.detail : failure;
    return { cause: "killed", isOrderly: false, reason: `its hypervisor ended: ${detail}` };
  }
  const reason = WORDS[cause] ?? cause;
  return { cause, isOrderly: wasAsked || cause === "guest-shutdown", reason };
}

function lastShutdown(events: string): string | null {
  for (const line of events.split("\n").reverse()) {
    if (!line.includes('"SHUTDOWN"')) continue;
    try {
      return shutdownSchema.parse(JSON.parse(line)).data.reason;
    } catch {
      // Cut off: its process was killed while it wrote.
    }
  }
  return null;
}
