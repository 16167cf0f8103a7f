/** How results are shown: the terminal, tables, bars, and numbers and times as text. */
export { bar } from "./bar.ts";
export { brief, cost, count, duration, durationArgument, formatTime, moment, plural, size } from "./format.ts";
export { enterRawMode } from "./raw-terminal.ts";
export { fitTable, indent, table } from "./table.ts";
export { type Paint, plain, type Style, type Terminal, terminalOver } from "./terminal.ts";
export { safeJson, visible } from "./visible.ts";
