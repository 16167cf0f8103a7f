/**
 * Faults that wait for a leader. A new leader is the most interesting one to hit: its log is on some of the others and
 * not yet on most. Faults at random times seldom hit that moment.
 */
import { groupLinks } from "../network/index.ts";
import type { LeaderMoment } from "../world/index.ts";
import type { EndFault, FaultKind, Injection } from "./kind.ts";
import { minorityOf, sides } from "./sides.ts";
import type { FaultWorld } from "./world.ts";

/** What is done to a new leader. Returns what ends it; null when nothing was done. */
type Strike = (world: FaultWorld, host: number, fault: Injection) => EndFault | null;

const STRIKES: Readonly<Record<string, Strike>> = {
  crash: (world, host) => (world.crash(host) ? () => world.restart(host) : null),
  pause: (world, host) => world.pause(host),
  isolate: (world, host, fault) => cutOff(world, fault, [host]),
  /** Some of the others still receive its messages, too few for a majority. */
  minority: (world, host, fault) => cutOff(world, fault, minorityOf(world, fault, [host])),
  /** Its messages reach everybody; none reaches it. */
  deaf: (world, host, fault) => cutOff(world, fault, [host], "inbound"),
};

const LEADER_MOMENTS: readonly LeaderMoment[] = ["elected", "commits"];

function cutOff(
  world: FaultWorld,
  fault: Injection,
  hosts: readonly number[],
  direction: "both" | "inbound" = "both",
): EndFault {
  const token = world.network.block(groupLinks(sides(world, fault, hosts), direction));
  return () => {
    world.network.unblock(token);
  };
}

const strikeLeaders: FaultKind = {
  name: "strike-leaders",
  family: "process",
  summary: "whoever is elected, or first commits, is crashed, paused or cut off a moment later, again and again",
  parameters: {
    moment: { meaning: "what it waits for", choices: ["elected", "commits", "either"] },
    chance: { meaning: "probability that a new leader is struck", limits: [0, 1], swarm: [0.3, 1] },
    delayMs: { meaning: "longest time between that and the strike", limits: [0, 60_000], swarm: [0, 60] },
    outageMs: { meaning: "longest time until it is let go", limits: [1, 600_000], swarm: [50, 3000] },
    how: { meaning: "what happens to it; any: drawn each time", choices: ["any", ...Object.keys(STRIKES)] },
  },
  durationMs: [5000, 30_000],
  begin(world, fault) {
    const under = new Set<EndFault>();
    let ended = false;
    const strike = (host: number, how: Strike): void => {
      const end = ended ? null : how(world, host, fault);
      if (end === null) return;
      under.add(end);
      world.after(fault.rng.integer(1, Math.ceil(fault.number("outageMs") * 1000)), () => {
        if (under.delete(end)) end();
      });
    };
    const aim = (host: number): void => {
      if (!fault.rng.chance(fault.number("chance"))) return;
      const name = fault.choice("how");
      const how = STRIKES[name] ?? fault.rng.pick(Object.values(STRIKES));
      // Half of the time at once: before what it has just sent arrives.
      const delayUs = fault.rng.chance(0.5) ? 0 : fault.rng.integer(0, Math.ceil(fault.number("delayMs") * 1000));
      world.after(delayUs, () => strike(host, how));
    };
    const moment = fault.choice("moment");
    const cancels = LEADER_MOMENTS.filter((known) => moment === "either" || moment === known).map((known) =>
      world.onLeader(known, aim),
    );
    return () => {
      ended = true;
      for (const cancel of cancels) cancel();
      for (const end of under) end();
      under.clear();
    };
  },
};

export const strikeFaults: readonly FaultKind[] = [strikeLeaders];
