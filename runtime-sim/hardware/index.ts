/** What a simulated host is built of: clocks and a disk, with their faults. */
export { HostClock, WALL_EPOCH_MS } from "./clock.ts";
export { Disk, type DiskSettings } from "./disk.ts";
