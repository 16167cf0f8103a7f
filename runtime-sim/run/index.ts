/** Runs of scenarios, and what they report. */
export type { RunReport, Violation } from "./report.ts";
export { Run, type RunOptions } from "./run.ts";
