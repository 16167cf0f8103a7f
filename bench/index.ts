/**
 * What the simulator, the core and real nodes cost. Trust the ratios within one run, not the absolute figures: machines
 * are noisy.
 *
 *     npm run bench                    everything but `real`
 *     npm run bench -- runs day        only these sections
 *     npm run bench -- real            three real nodes beside etcd, which it installs if it must (Debian, root)
 */

import { apply } from "./apply.ts";
import { capture } from "./capture.ts";
import { memoryOverADay } from "./day.ts";
import { fleet } from "./fleet.ts";
import { loop } from "./loop.ts";
import { parts } from "./parts.ts";
import { placement } from "./placement.ts";
import { wholeProcess } from "./process.ts";
import { real } from "./real/index.ts";
import { runs } from "./runs.ts";

const SECTIONS: Readonly<Record<string, () => void | Promise<void>>> = {
  loop,
  runs,
  parts,
  apply,
  placement,
  fleet,
  capture,
  process: wholeProcess,
  day: memoryOverADay,
  real,
};

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in SECTIONS));
if (unknown.length > 0) {
  console.error(`no such section: ${unknown.join(", ")}; there are ${Object.keys(SECTIONS).join(", ")}`);
  process.exit(2);
}
for (const [name, section] of Object.entries(SECTIONS)) {
  // Installs a package, so only when asked for.
  const isDefault = wanted.length === 0 && name !== "real";
  if (isDefault || wanted.includes(name)) await section();
}
