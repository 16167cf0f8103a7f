/**
 * Why a machine has ended: QEMU's last SHUTDOWN event says what caused it. An exit code alone says nothing.
 */
import { z } from "zod";
import type { RunEnd } from "./files.ts";

export interface EndCause {
  /** As it was asked to, or the guest powered off by itself. */
  readonly isOrderly: boolean;
  /** For people. */
  readonly reason: string;
}

const shutdownSchema = z.object({ event: z.literal("SHUTDOWN"), data: z.object({ reason: z.string() }) });

const NOT_POWERED_OFF = "ended: it had not powered off in time";

/** By QMP's `ShutdownCause`. */
const WORDS: Readonly<Record<string, string>> = {
  "guest-reset": "the guest rebooted",
  "guest-panic": "the guest's kernel panicked",
  "host-signal": "a signal ended it",
  "host-qmp-quit": "somebody ended it by its monitor",
  "host-error": "the host failed it",
};

/** The cause that a line of QMP tells; null: the line tells none. */
export function shutdownCause(line: string): string | null {
  if (!line.includes('"SHUTDOWN"')) return null;
  try {
    return shutdownSchema.parse(JSON.parse(line)).data.reason;
  } catch {
    // Cut off: its process was killed while it wrote.
    return null;
  }
}

/**
 * @param end null: nobody saw how it ended.
 * @param wasAsked somebody had asked it to stop.
 */
export function causeOf(end: RunEnd | null, wasAsked: boolean): EndCause {
  if (end === null) return { isOrderly: wasAsked, reason: "ended while nobody saw it" };
  const { how, cause, detail, by } = end;
  if (how === "fenced") return { isOrderly: false, reason: "fenced" };
  if (how === "notStarted") return { isOrderly: wasAsked, reason: detail };
  if (by === "unit") return { isOrderly: true, reason: "somebody has stopped its unit on its host" };
  if (by === "host" && !wasAsked)
    return { isOrderly: false, reason: "its host was shut down, or its supervisor stopped" };
  if (cause === "guest-shutdown") return { isOrderly: true, reason: "the guest powered off" };
  if (wasAsked) return { isOrderly: true, reason: NOT_POWERED_OFF };
  if (cause === null) return { isOrderly: false, reason: `its hypervisor ended: ${detail}` };
  return { isOrderly: false, reason: WORDS[cause] ?? cause };
}
