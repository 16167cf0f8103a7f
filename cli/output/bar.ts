/** How full something is, at a glance. */
import type { Paint } from "./terminal.ts";

/** From here on a bar is yellow, and red. */
const HIGH = 0.75;
const FULL = 0.9;

/** `███░░  62%`; what there is nothing of is full. */
export function bar(part: number, whole: number, width: number, paint: Paint): string {
  const share = whole <= 0 ? (part > 0 ? 1 : 0) : part / whole;
  // Something is not nothing, and nearly full is not full.
  const filled = Math.min(
    width,
    share > 0 && share < 1 ? Math.min(width - 1, Math.max(1, Math.round(share * width))) : Math.round(share * width),
  );
  const colour = share >= FULL ? "red" : share >= HIGH ? "yellow" : "green";
  const percent = `${Math.round(share * 100)}%`.padStart(5);
  return paint(colour, `${"█".repeat(filled)}${"░".repeat(width - filled)}`) + percent;
}
