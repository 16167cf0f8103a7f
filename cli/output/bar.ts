/** How full something is, as a bar. */
import type { Paint } from "./terminal.ts";

/** The shares from which a bar is yellow, and red. */
const HIGH = 0.75;
const FULL = 0.9;

/** `███░░  62%`. A whole of 0 is full. */
export function bar(part: number, whole: number, width: number, paint: Paint): string {
  const share = whole <= 0 ? (part > 0 ? 1 : 0) : part / whole;
  // Only 0 is shown as empty, and only the whole as full.
  const filled = Math.min(
    width,
    share > 0 && share < 1 ? Math.min(width - 1, Math.max(1, Math.round(share * width))) : Math.round(share * width),
  );
  const colour = share >= FULL ? "red" : share >= HIGH ? "yellow" : "green";
  const percent = `${Math.round(share * 100)}%`.padStart(5);
  return paint(colour, `${"█".repeat(filled)}${"░".repeat(width - filled)}`) + percent;
}
