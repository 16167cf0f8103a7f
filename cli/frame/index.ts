/** What every command is built with: its registration, its arguments, how it ends, and Ctrl-C. */
export {
  collect,
  parseCount,
  parseDurationMs,
  parseJobs,
  parseNodeId,
  parseNodes,
  parseSeed,
  parseSeedRange,
  parseShard,
  type SeedRange,
  type Shard,
} from "./arguments.ts";
export { confirm } from "./confirm.ts";
export { addFieldOptions, flagsOf, type OwnFlag } from "./field-options.ts";
export { type CommandGroup, type Session, withExamples } from "./group.ts";
export { type Interrupt, watchInterrupt } from "./interrupt.ts";
export { addLateOptions, withLateHelp, withLateOptions } from "./late-options.ts";
export { nearest } from "./nearest.ts";
export { EXIT, type ExitCode, FailureError, UsageError } from "./outcome.ts";
export { VERSION } from "./version.ts";
