/**
 * Faults of a host's clocks. They change when deadlines come and what time stamps say. Only leases may depend on
 * clocks, and a lease may only break beyond the drift bound.
 */
import { type FaultKind, type Injection, NOTHING_TO_END } from "./kind.ts";
import type { FaultWorld } from "./world.ts";

const drift: FaultKind = {
  name: "clock-drift",
  family: "clock",
  summary: "a host's clocks run too fast or too slow",
  parameters: { factor: { meaning: "clock seconds per true second", limits: [0.01, 100], swarm: [0.7, 1.4] } },
  durationMs: [2000, 60_000],
  begin(world, fault) {
    const ends = fault.hosts.map((host) => world.driftClock(host, fault.number("factor")));
    return () => {
      for (const end of ends) end();
    };
  },
};

const offset: FaultKind = {
  name: "clock-offset",
  family: "clock",
  summary: "a host's wall clock is wrong, and put right at the end; its monotonic clock is not concerned",
  parameters: {
    wallMs: {
      meaning: "how much it is ahead, or behind when negative",
      limits: [-1e12, 1e12],
      swarm: [-600_000, 600_000],
    },
  },
  durationMs: [1000, 60_000],
  begin(world, fault) {
    const wallMs = fault.number("wallMs");
    for (const host of fault.hosts) world.clockOf(host).jumpWall(wallMs, world.nowUs);
    return () => {
      for (const host of fault.hosts) world.clockOf(host).jumpWall(-wallMs, world.nowUs);
    };
  },
};

/** Between two steps of a clock that drifts away. */
const DRIFT_STEP_US = 200_000;

const wrong: FaultKind = {
  name: "wall-clock-wrong",
  family: "clock",
  summary:
    "a host's wall clock is hours or days off, while a majority's clocks are right; it is put right at the end, and " +
    "its monotonic clock is not concerned",
  parameters: {
    hours: { meaning: "how much it is ahead, or behind when negative", limits: [-87_600, 87_600], swarm: [-72, 72] },
    how: { meaning: "all at once, or more and more until the end", choices: ["step", "drift"] },
  },
  durationMs: [5000, 60_000],
  begin(world, fault) {
    const host = fault.hosts.find((candidate) => world.mayMisset(candidate));
    if (host === undefined) return null;
    const clock = world.clockOf(host);
    const offMs = fault.number("hours") * 3_600_000;
    const durationUs = fault.endUs - world.nowUs;
    let ended = false;
    let movedMs = 0;
    const move = (deltaMs: number): void => {
      clock.jumpWall(deltaMs, world.nowUs);
      movedMs += deltaMs;
    };
    const driftOn = (): void => {
      if (ended) return;
      move((offMs * DRIFT_STEP_US) / durationUs);
      world.after(DRIFT_STEP_US, driftOn);
    };
    if (fault.choice("how") === "step") move(offMs);
    else driftOn();
    return () => {
      ended = true;
      move(-movedMs);
    };
  },
};

function jump(
  fault: Pick<FaultKind, "name" | "summary" | "parameters">,
  move: (world: FaultWorld, host: number, injection: Injection) => void,
): FaultKind {
  return {
    ...fault,
    family: "clock",
    durationMs: [1, 1],
    begin(world, injection) {
      for (const host of injection.hosts) {
        move(world, host, injection);
        world.clockChanged(host);
      }
      return NOTHING_TO_END;
    },
  };
}

const jumpForward = jump(
  {
    name: "clock-jump-forward",
    summary: "a host's clocks jump forward, each by its own distance",
    parameters: {
      wallMs: { meaning: "by how much the wall clock jumps", limits: [0, 1e12], swarm: [0, 3_600_000] },
      monotonicMs: { meaning: "by how much the monotonic clock jumps", limits: [0, 1e12], swarm: [0, 10_000] },
    },
  },
  (world, host, fault) => {
    world.clockOf(host).jumpWall(fault.number("wallMs"), world.nowUs);
    world.clockOf(host).jumpMonotonic(fault.number("monotonicMs"));
  },
);

const jumpBack = jump(
  {
    name: "clock-jump-back",
    summary: "a host's wall clock jumps back; a monotonic clock cannot",
    parameters: { wallMs: { meaning: "by how much", limits: [0, 1e12], swarm: [0, 3_600_000] } },
  },
  (world, host, fault) => world.clockOf(host).jumpWall(-fault.number("wallMs"), world.nowUs),
);

const freeze: FaultKind = {
  name: "clock-freeze",
  family: "clock",
  summary: "a host's clocks stand still while the host works on",
  parameters: {},
  durationMs: [500, 20_000],
  begin(world, fault) {
    for (const host of fault.hosts) {
      world.clockOf(host).freeze(fault.endUs, world.nowUs);
      world.clockChanged(host);
    }
    return NOTHING_TO_END;
  },
};

export const clockFaults: readonly FaultKind[] = [drift, offset, jumpForward, jumpBack, freeze, wrong];
