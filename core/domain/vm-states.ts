/** The states of a VM, and the moves between them. Whatever changes a state asks here first. */

export const VM_STATES = [
  "Pending",
  "Scheduled",
  "Building",
  "Starting",
  "Running",
  "Stopping",
  "Stopped",
  "Failed",
  "Lost",
] as const;
export type VmState = (typeof VM_STATES)[number];

/**
 * The legal transitions. Besides those of an ordinary life: a reboot of the host, or an agent that looks again, may
 * show an earlier or later state of the same run, and whatever is placed can be lost with its worker.
 */
const MOVES: Readonly<Record<VmState, readonly VmState[]>> = {
  Pending: ["Scheduled", "Stopped"],
  Scheduled: ["Building", "Starting", "Running", "Stopping", "Stopped", "Failed", "Lost", "Pending"],
  Building: ["Scheduled", "Starting", "Running", "Stopping", "Stopped", "Failed", "Lost", "Pending"],
  Starting: ["Scheduled", "Building", "Running", "Stopping", "Stopped", "Failed", "Lost", "Pending"],
  Running: ["Scheduled", "Stopping", "Stopped", "Failed", "Lost", "Pending"],
  Stopping: ["Scheduled", "Running", "Stopped", "Failed", "Lost", "Pending"],
  Stopped: ["Scheduled", "Stopping", "Lost", "Pending"],
  Failed: ["Scheduled", "Stopping", "Stopped", "Lost", "Pending"],
  Lost: ["Pending", "Scheduled", "Running", "Stopping", "Stopped", "Failed"],
};

/** Whether a VM may go from one state to another. To stay is always legal. */
export function isLegalMove(from: VmState, to: VmState): boolean {
  return from === to || MOVES[from].includes(to);
}
