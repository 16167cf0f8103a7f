/** What a run is made from: the scenario, and the fault schedule that a seed draws from it. */

export { drawSchedule } from "./draw.ts";
export { LEASE_LONG_ABSENCES } from "./lease-absences.ts";
export { FaultScheduleError, parseFaultSchedule } from "./parse-schedule.ts";
export {
  CALM_CLOCKS,
  CALM_DISKS,
  CALM_NETWORK,
  type ClockRanges,
  type DiskRanges,
  type FaultMix,
  type NetworkRanges,
  type Scenario,
  scenario,
} from "./scenario.ts";
export { type FaultSchedule, SCHEDULE_LIMITS } from "./schedule.ts";
export { LOWERED_LIMITS, LOWERED_OPTIONS, rareAndOften, SWARM_CONDITIONS } from "./swarm.ts";
export { settled, type Variety } from "./variety.ts";
