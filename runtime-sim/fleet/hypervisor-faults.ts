/** How quick a simulated hypervisor is, and what may go wrong with it. */

/** Means of exponentially distributed times, in milliseconds. */
export interface HypervisorConditions {
  readonly buildMeanMs: number;
  readonly bootMeanMs: number;
  readonly stopMeanMs: number;
  readonly jobMeanMs: number;
}

/**
 * Faults under way, set and cleared by whoever injects them. Each counts for what begins while it is set: chances are
 * from 0 to 1.
 */
export interface HypervisorFaults {
  /** Builds take that many times as long; 1: no fault. */
  buildSlowFactor: number;
  buildFailChance: number;
  /** That a build never ends by itself. */
  buildHangChance: number;
  /** That a machine never gets from starting to running. */
  bootHangChance: number;
  /**
   * A machine that begins to run crashes after an exponentially distributed time of this mean; Infinity: it does not.
   */
  crashMeanMs: number;
  /** That a stop is ignored: the machine runs on as `stopping` until it is asked again. */
  zombieChance: number;
  /** That a reading of the inventory shows a wrong phase or reason for one machine. */
  wrongReportChance: number;
  /** That a probe of a running machine says it is unhealthy. */
  unhealthyChance: number;
  /** The host looks at its machines so seldom that its agent learns of a change only within this time; 0: no fault. */
  noticedWithinMs: number;
}

export function noHypervisorFaults(): HypervisorFaults {
  return {
    buildSlowFactor: 1,
    buildFailChance: 0,
    buildHangChance: 0,
    bootHangChance: 0,
    crashMeanMs: Infinity,
    zombieChance: 0,
    wrongReportChance: 0,
    unhealthyChance: 0,
    noticedWithinMs: 0,
  };
}

/** One quality made worse, by the name of the fault that does it. */
export interface Worsening {
  readonly fault: string;
  readonly value: number;
}

/** The faults that hold together; of several of one kind the last. */
export function faultsOf(worse: readonly Worsening[]): HypervisorFaults {
  const faults = noHypervisorFaults();
  for (const { fault, value } of worse) {
    switch (fault) {
      case "slow-build":
        faults.buildSlowFactor = value;
        break;
      case "build-fails":
        faults.buildFailChance = value;
        break;
      case "build-hangs":
        faults.buildHangChance = value;
        break;
      case "boot-hangs":
        faults.bootHangChance = value;
        break;
      case "guest-crashes":
        faults.crashMeanMs = value;
        break;
      case "zombies":
        faults.zombieChance = value;
        break;
      case "wrong-reports":
        faults.wrongReportChance = value;
        break;
      case "unhealthy-guests":
        faults.unhealthyChance = value;
        break;
      case "late-inventory":
        faults.noticedWithinMs = value;
        break;
    }
  }
  return faults;
}
