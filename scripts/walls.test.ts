/**
 * Proves each wall with the production checks: a small project with the real configuration, one offence a file, and
 * what compiler, linter and walls script say about it. A second project without offences must pass all three.
 */
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const pureRooms = ["core", "runtime-sim", "scenarios"];

type Check = "compiler" | "linter" | "walls";

interface Offence {
  readonly name: string;
  readonly path: string;
  readonly text: string;
  /** It hides other offences of its project from the compiler, so it is tried in a project apart. */
  readonly hidesOthers?: true;
  /** Who must refuse it, and what the refusal must say. */
  readonly refusals: Partial<Record<Check, RegExp>>;
}

const offences: Offence[] = [
  {
    name: "the time of day",
    path: "core/date.ts",
    text: "export const now: number = Date.now();\n",
    refusals: { linter: /global variable (Date|performance)/ },
  },
  {
    name: "a new Date",
    path: "runtime-sim/date.ts",
    text: "export const now: unknown = new Date();\n",
    refusals: { linter: /global variable (Date|performance)/ },
  },
  {
    name: "a timer",
    path: "core/timer.ts",
    text: "setTimeout(() => 1, 10);\n",
    refusals: { compiler: /setTimeout/, linter: /global variable setTimeout/ },
  },
  {
    name: "a timer under a claimed declaration",
    path: "core/declared-timer.ts",
    text: "declare function setTimeout(callback: () => void, delayMs: number): void;\nsetTimeout(() => undefined, 10);\n",
    refusals: { walls: /ambient declaration/ },
  },
  {
    name: "a timer under a claimed global",
    path: "runtime-sim/declared-global.ts",
    hidesOthers: true,
    text: "declare global {\n  var setInterval: (callback: () => void) => void;\n}\nexport const x = 1;\n",
    refusals: { walls: /ambient declaration/ },
  },
  {
    name: "performance.now",
    path: "scenarios/performance.ts",
    text: "export const now: number = performance.now();\n",
    refusals: { compiler: /performance/, linter: /global variable (Date|performance)/ },
  },
  {
    name: "the process",
    path: "core/process.ts",
    text: "export const home = process.env;\n",
    refusals: { compiler: /process/, linter: /global variable process/ },
  },
  {
    name: "the process through globalThis",
    path: "core/global-this.ts",
    text: 'export const home = Reflect.get(globalThis, "process");\n',
    refusals: { linter: /global variable globalThis/ },
  },
  {
    name: "the console",
    path: "core/console.ts",
    text: 'console.log("hello");\n',
    refusals: { compiler: /console/, linter: /noConsole/ },
  },
  {
    name: "the network",
    path: "runtime-sim/fetch.ts",
    text: 'export const page = fetch("http://localhost");\n',
    refusals: { compiler: /fetch/, linter: /global variable fetch/ },
  },
  {
    name: "a Node import",
    path: "core/node-import.ts",
    text: 'import { readFileSync } from "node:fs";\n\nexport const text = readFileSync;\n',
    refusals: { compiler: /node:fs/, linter: /noNodejsModules/, walls: /core knows no Node API/ },
  },
  {
    name: "a Node import without its prefix",
    path: "runtime-sim/node-import.ts",
    text: 'export * from "fs";\n',
    refusals: { compiler: /fs/, linter: /noNodejsModules/, walls: /runtime-sim knows no Node API/ },
  },
  {
    name: "ambient Node types by reference",
    path: "core/reference.ts",
    hidesOthers: true,
    text: '/// <reference types="node" preserve="true" />\nexport const x = 1;\n',
    refusals: { walls: /types from outside/ },
  },
  {
    name: "a foreign package",
    path: "core/package.ts",
    text: 'import seedrandom from "seedrandom";\n\nexport const random = seedrandom("a");\n',
    refusals: { walls: /of packages core may import immer and msgpackr\/pack/ },
  },
  {
    name: "a package's entry that brings Node streams",
    path: "core/package-entry.ts",
    text: 'export { pack } from "msgpackr";\n',
    refusals: { walls: /of packages core may import immer and msgpackr\/pack/ },
  },
  {
    name: "Math.random",
    path: "core/random.ts",
    text: "export const drawn: number = Math.random();\n",
    refusals: { walls: /of Math only what is exact/ },
  },
  {
    name: "Math.random by another name",
    path: "core/random-alias.ts",
    text: "const { random } = Math;\nexport const drawn: number = random();\n",
    refusals: { walls: /of Math only what is exact/ },
  },
  {
    name: "Math.log",
    path: "runtime-sim/logarithm.ts",
    text: "export const delayMs: number = -Math.log(0.5);\n",
    refusals: { walls: /of Math only what is exact/ },
  },
  {
    name: "a power of variables",
    path: "core/power.ts",
    text: "export const power = (x: number): number => x ** 0.5;\n",
    refusals: { walls: /\*\* may differ/ },
  },
  {
    name: "an async function",
    path: "core/async.ts",
    text: "export async function answer() {\n  return 42;\n}\n",
    refusals: { walls: /everything here is synchronous/ },
  },
  {
    name: "a promise",
    path: "runtime-sim/promise.ts",
    text: "export const answer = Promise.resolve(42);\n",
    refusals: { linter: /global variable Promise/ },
  },
  {
    name: "an order that depends on locale",
    path: "core/locale.ts",
    text: 'export const order: number = "a".localeCompare("b");\n',
    refusals: { walls: /depends on the machine's locale/ },
  },
  {
    name: "text that depends on locale",
    path: "scenarios/locale.ts",
    text: "export const text: string = (1234.5).toLocaleString();\n",
    refusals: { walls: /depends on the machine's locale/ },
  },
  {
    name: "an upward import",
    path: "core/upward.ts",
    text: 'export * from "../runtime-sim/index.ts";\n',
    refusals: { walls: /core may import no other room, not runtime-sim/ },
  },
  {
    name: "an upward import of a type, inline",
    path: "core/raft/upward-type.ts",
    text: 'export type World = import("../../runtime-sim/index.ts").World;\n',
    refusals: { walls: /core may import no other room, not runtime-sim/ },
  },
  {
    name: "an upward import by a test",
    path: "core/upward.test.ts",
    text: 'export * from "../runtime-sim/index.ts";\n',
    refusals: { walls: /core may import no other room, not runtime-sim/ },
  },
  {
    name: "a side import",
    path: "runtime-sim/side.ts",
    text: 'export * from "../runtime-real/index.ts";\n',
    refusals: { walls: /runtime-sim may import core, not runtime-real/ },
  },
  {
    name: "a side import the other way, dynamic",
    path: "runtime-real/side.ts",
    text: 'export const simulator = import("../runtime-sim/index.ts");\n',
    refusals: { walls: /runtime-real may import core, not runtime-sim/ },
  },
  {
    name: "an import past a room's door",
    path: "runtime-sim/past-door.ts",
    text: 'export * from "../core/raft/log.ts";\n',
    refusals: { walls: /enter core through its door, core\/index\.ts/ },
  },
  {
    name: "an import past the door of a folder",
    path: "core/past-door.ts",
    text: 'export * from "./raft/log.ts";\n',
    refusals: { walls: /enter core\/raft through its door, core\/raft\/index\.ts/ },
  },
  {
    name: "a test used as a library",
    path: "core/uses-test.ts",
    text: 'export * from "./upward.test.ts";\n',
    refusals: { walls: /a test is nobody's library/ },
  },
  {
    name: "a test harness used in production",
    path: "core/uses-harness.ts",
    text: 'export * from "./testing/index.ts";\n',
    refusals: { walls: /a test harness is for tests, benchmarks and other harnesses/ },
  },
  {
    name: "a test harness that a door hands on",
    path: "runtime-sim/harness-door/index.ts",
    text: 'export * from "../../core/testing/index.ts";\n',
    refusals: { walls: /a test harness is for tests, benchmarks and other harnesses/ },
  },
  {
    name: "a test harness that is no folder",
    path: "core/raft/uses-file.test.ts",
    text: 'export * from "./testing.ts";\n',
    refusals: { walls: /a test harness is a folder with a door/ },
  },
  {
    name: "a test past the door of a harness",
    path: "runtime-sim/past-harness-door.test.ts",
    text: 'export * from "../core/testing/cluster.ts";\n',
    refusals: { walls: /enter core through its door/ },
  },
  {
    name: "a circle of imports",
    path: "core/circle/first.ts",
    text: 'import { second } from "./second.ts";\n\nexport const first = (): unknown => second;\n',
    refusals: {
      walls: /a circle of imports between 2 files: core\/circle\/first\.ts, core\/circle\/second\.ts$/,
    },
  },
  {
    name: "the other half of it, which needs the type alone",
    path: "core/circle/second.ts",
    text: 'import type { first } from "./first.ts";\n\nexport const second = (it: typeof first): unknown => it;\n',
    refusals: { walls: /a circle of imports between 2 files/ },
  },
  {
    name: "a comment that goes too far",
    path: "cli/comment.ts",
    text: `/**\n * ${"word ".repeat(24)}\n */\nexport const first = 1; // ${"word ".repeat(20)}\n`,
    refusals: { walls: /cli\/comment\.ts:2 a comment goes beyond column 120/ },
  },
  {
    name: "a linter rule switched off",
    path: "core/switched-off.ts",
    text: "// biome-ignore lint/style/noRestrictedGlobals: only this once\nexport const now: number = Date.now();\n",
    refusals: { walls: /switches a wall off/ },
  },
  {
    name: "a file that the compiler does not see",
    path: "core/unseen.js",
    text: "export const x = 1;\n",
    refusals: { walls: /\.ts files only/ },
  },
  {
    name: "a folder that nobody described",
    path: "attic/index.ts",
    text: "export const x = 1;\n",
    refusals: { walls: /attic is not in the table of rooms/ },
  },
];

const innocents: Record<string, string> = {
  "core/index.ts": 'export { last } from "./raft/index.ts";\n',
  "core/raft/index.ts": 'export { last } from "./log.ts";\n',
  "core/raft/log.ts": [
    'import { produce } from "immer";',
    'import { pack } from "msgpackr/pack";',
    "",
    "// Date.now(), setTimeout and Math.random() may be spoken of.",
    'export const said = "Date.now() " + pack(2 ** 32).length;',
    "export const last = (entries: number[]): number => Math.max(...produce(entries, () => {}));",
    "export const idle = (event: { process: number; performance: number }): number => event.process + event.performance;",
    "",
  ].join("\n"),
  "core/raft/log.test.ts": [
    'import { readFileSync } from "node:fs";',
    'import { test } from "vitest";',
    'import { last } from "./log.ts";',
    "",
    'test("takes its time", async () => {',
    "  await Promise.resolve([last([]), readFileSync, Date.now(), Math.random()]);",
    "});",
    "",
  ].join("\n"),
  "core/testing/index.ts": 'export { cluster } from "./cluster.ts";\n',
  "core/testing/cluster.ts": 'import { last } from "../index.ts";\n\nexport const cluster = last;\n',
  "runtime-sim/world.test.ts": 'import { cluster } from "../core/testing/index.ts";\n\ncluster([]);\n',
  "runtime-sim/testing/index.ts": 'export { cluster } from "../../core/testing/index.ts";\n',
  "runtime-sim/index.ts":
    'import seedrandom from "seedrandom";\nimport { last } from "../core/index.ts";\n\nexport const world = (): number => last([seedrandom("1")()]);\n',
  "scenarios/index.ts": 'import { world } from "../runtime-sim/index.ts";\n\nexport const calm = world;\n',
  "cli/main.ts":
    'import { hostname } from "node:os";\nimport { calm } from "../scenarios/index.ts";\n\nexport const run = (): string => hostname() + calm();\n',
};

const projects: string[] = [];

/** A project with the real configuration and the given files. */
function project(files: Record<string, string>): string {
  const directory = mkdtempSync(join(tmpdir(), "blixard-walls-"));
  projects.push(directory);
  for (const path of [
    ".gitignore",
    "biome.jsonc",
    "package.json",
    "tsconfig.base.json",
    "scripts/walls.ts",
    "scripts/walls",
    ...pureRooms.map((room) => `${room}/tsconfig.json`),
  ])
    cpSync(join(root, path), join(directory, path), { recursive: true });
  symlinkSync(join(root, "node_modules"), join(directory, "node_modules"));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), text);
  }
  return directory;
}

interface Outcome {
  readonly accepted: boolean;
  readonly lines: readonly string[];
}

function run(directory: string, script: string, ...args: string[]): Outcome {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(directory, script), ...args], {
    cwd: directory,
    encoding: "utf8",
  });
  return { accepted: status === 0, lines: `${stdout}${stderr}`.split("\n") };
}

function checkAll(directory: string): Record<Check, Outcome> {
  const compiled = pureRooms.map((room) => run(directory, "node_modules/typescript/bin/tsc", "-p", room));
  return {
    compiler: { accepted: compiled.every(({ accepted }) => accepted), lines: compiled.flatMap(({ lines }) => lines) },
    linter: run(
      directory,
      "node_modules/@biomejs/biome/bin/biome",
      ...["lint", "--reporter=github", "--max-diagnostics=none", "--error-on-warnings", ...pureRooms],
    ),
    walls: run(directory, "scripts/walls.ts"),
  };
}

afterAll(() => {
  for (const directory of projects) rmSync(directory, { recursive: true, force: true });
});

describe("walls", () => {
  let together: Record<Check, Outcome>;
  let apart: Record<Check, Outcome>;

  beforeAll(() => {
    const filesOf = (some: Offence[]): Record<string, string> =>
      Object.fromEntries(some.map(({ path, text }) => [path, text]));
    together = checkAll(project({ ...innocents, ...filesOf(offences.filter(({ hidesOthers }) => !hidesOthers)) }));
    apart = checkAll(project({ ...innocents, ...filesOf(offences.filter(({ hidesOthers }) => hidesOthers)) }));
  });

  test.each(offences)("$name is refused: $path", ({ path, hidesOthers, refusals }) => {
    const outcomes = hidesOthers ? apart : together;
    for (const [check, refusal] of Object.entries(refusals) as [Check, RegExp][]) {
      expect(outcomes[check].accepted, check).toBe(false);
      const said = outcomes[check].lines.filter((line) => line.includes(path));
      expect(said, check).toContainEqual(expect.stringMatching(refusal));
    }
  });

  test("a clean project is accepted", () => {
    const accepted = { accepted: true };
    expect(checkAll(project(innocents))).toMatchObject({ compiler: accepted, linter: accepted, walls: accepted });
  });
});
