/**
 * The walls between the rooms, as far as neither the compiler nor the linter can express them:
 *
 * - who may import whom, and only through doors: a folder is entered by its index.ts;
 * - a test harness (a folder `testing/`, with a door like any other) is for tests, benchmarks and other harnesses;
 * - no circle of imports between files of core/;
 * - in the pure rooms no async, no Math that engines may round differently, no text that depends on locale;
 * - no way around the walls: nothing that gives a pure room ambient types or switches off one of its rules;
 * - no comment beyond column 120.
 *
 * The rest is the compiler's (no ambient types, ES library only) and the linter's (restricted globals).
 * Type imports count: a room that cannot be named cannot be depended on.
 */
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { breachesIn } from "./walls/index.ts";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { files, found } = breachesIn(root);
for (const { path, line, message } of found) console.error(`${path}:${line} ${message}`);
console.log(`walls: ${files} files, ${found.length} breaches`);
if (found.length > 0 || files === 0) process.exitCode = 1;
