/**
 * What the simulator and the core cost. Trust the ratios within one run, not the absolute figures: machines are noisy.
 *
 *     npm run bench                    everything
 *     npm run bench -- runs day        only these sections
 */

import { memoryOverADay } from "./day.ts";
import { loop } from "./loop.ts";
import { parts } from "./parts.ts";
import { wholeProcess } from "./process.ts";
import { runs } from "./runs.ts";

const SECTIONS: Readonly<Record<string, () => void | Promise<void>>> = {
  loop,
  runs,
  parts,
  process: wholeProcess,
  day: memoryOverADay,
};

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in SECTIONS));
if (unknown.length > 0) {
  console.error(`no such section: ${unknown.join(", ")}; there are ${Object.keys(SECTIONS).join(", ")}`);
  process.exit(2);
}
for (const [name, section] of Object.entries(SECTIONS)) {
  if (wanted.length === 0 || wanted.includes(name)) await section();
}
