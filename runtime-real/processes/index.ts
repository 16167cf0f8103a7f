/** What several processes of a host share: its monotonic clock, whose each process is, the end of what one says. */
export { Deadline, monotonicMs } from "./clock.ts";
export { killAll, markOf, PROCESS_MARK, processesOf, signal } from "./processes.ts";
export { Tail } from "./tail.ts";
