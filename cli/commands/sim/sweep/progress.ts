/** The progress of a sweep: a bar on a terminal, a line every few seconds elsewhere. */
import { brief, count, duration, type Terminal } from "../../../output/index.ts";

const BAR_WIDTH = 24;
const BAR_EVERY_MS = 100;
const LINE_EVERY_MS = 10_000;

/** Returns a function to be called after each run. */
export function sweepProgress(
  terminal: Terminal,
  planned: number,
  beganMs: number,
): (done: number, failed: number) => void {
  let shownAtMs = beganMs;
  return (done, failed) => {
    const nowMs = performance.now();
    if (nowMs - shownAtMs < (terminal.showsProgress ? BAR_EVERY_MS : LINE_EVERY_MS)) return;
    shownAtMs = nowMs;
    if (terminal.showsProgress) terminal.progress(progressBar(done, planned, failed, nowMs - beganMs));
    else terminal.err(progressLine(done, planned, failed, nowMs - beganMs));
  };
}

export function progressBar(done: number, planned: number, failed: number, elapsedMs: number): string {
  const full = Math.floor((done / Math.max(1, planned)) * BAR_WIDTH);
  return `[${"#".repeat(full)}${".".repeat(BAR_WIDTH - full)}] ${progressLine(done, planned, failed, elapsedMs)}`;
}

export function progressLine(done: number, planned: number, failed: number, elapsedMs: number): string {
  const perSecond = (done / Math.max(elapsedMs, 1)) * 1000;
  const leftMs = done === 0 ? null : ((planned - done) / perSecond) * 1000;
  return [
    `${count(done)}/${count(planned)} runs`,
    `${count(failed)} failed`,
    `${brief(perSecond)} a second`,
    leftMs === null ? "" : `about ${duration(leftMs)} left`,
  ]
    .filter((part) => part !== "")
    .join(", ");
}
