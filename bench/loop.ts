/** The ceiling: the bare event loop, with queue, random stream and trace hash, and events that do nothing. */

import { Streams } from "../runtime-sim/random/random.ts";
import { TraceHash } from "../runtime-sim/world/hash.ts";
import { EventQueue } from "../runtime-sim/world/queue.ts";
import { median, perSecond } from "./figures.ts";

const EVENTS = 2_000_000;
const PENDING = 64;

/** Events a second of the bare loop. */
export function bareLoop(): number {
  const rates: number[] = [];
  for (let repeat = 0; repeat < 5; repeat++) {
    const rng = new Streams(repeat).stream("loop");
    const queue = new EventQueue<{ readonly kind: number }>(1024);
    const hash = new TraceHash();
    for (let at = 0; at < PENDING; at++) queue.push(rng.integer(0, 1000), { kind: at });
    const startedMs = performance.now();
    for (let count = 0; count < EVENTS; count++) {
      const timeUs = queue.peekTimeUs();
      const event = queue.pop();
      hash.mix(event?.kind ?? 0);
      hash.mix(timeUs);
      queue.push(timeUs + rng.integer(1, 1000), { kind: count & 7 });
    }
    rates.push(perSecond(EVENTS, performance.now() - startedMs));
  }
  return median(rates);
}

export function loop(): void {
  console.log(`bare event loop: ${Math.round(bareLoop()).toLocaleString("en")} events/s\n`);
}
