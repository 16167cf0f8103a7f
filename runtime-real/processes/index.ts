/** What several processes of a host share: its monotonic clock, and whose each process is. */
export { Deadline, monotonicMs } from "./clock.ts";
export { killAll, markOf, PROCESS_MARK, processesOf, signal } from "./processes.ts";
