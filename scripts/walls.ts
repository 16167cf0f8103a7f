/**
 * The walls between the rooms, as far as neither the compiler nor the linter can express them:
 *
 * - who may import whom, and only through doors: a folder is entered by its index.ts;
 * - a test harness (a folder `testing/`, with a door like any other) is for tests, benchmarks and other harnesses;
 * - no circle of imports between files of core/;
 * - in the pure rooms no async, no Math that engines may round differently, no text that depends on locale;
 * - no way around the walls: nothing that gives a pure room ambient types or switches off one of its rules.
 *
 * The rest is the compiler's (no ambient types, ES library only) and the linter's (restricted globals).
 * Type imports count: a room that cannot be named cannot be depended on.
 */
import { globSync, readFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { dirname, posix } from "node:path";
import { fileURLToPath } from "node:url";
import { type Program, parseSync, Visitor } from "oxc-parser";
import { circleExceptions } from "./circle-exceptions.ts";
import { circleComplaints } from "./circles.ts";

interface Room {
  /** Other rooms it may import. */
  readonly rooms: readonly string[];
  /** npm packages it may import. "any" includes Node's own modules. */
  readonly packages: readonly string[] | "any";
  /** Deterministic: same inputs, same outputs, on every machine. */
  readonly pure: boolean;
}

// msgpackr only by its entry without Node streams and native code.
const rooms: Readonly<Record<string, Room>> = {
  core: { rooms: [], packages: ["immer", "msgpackr/pack"], pure: true },
  "runtime-sim": { rooms: ["core"], packages: ["seedrandom"], pure: true },
  "runtime-real": { rooms: ["core"], packages: "any", pure: false },
  scenarios: { rooms: ["runtime-sim", "core"], packages: [], pure: true },
  cli: { rooms: ["scenarios", "runtime-sim", "runtime-real", "core"], packages: "any", pure: false },
  bench: { rooms: ["cli", "scenarios", "runtime-sim", "runtime-real", "core"], packages: "any", pure: false },
  scripts: { rooms: [], packages: "any", pure: false },
};

/** A benchmark measures parts that a door does not show. */
const passesDoors = new Set(["bench"]);

/** Benchmarks use the harnesses of tests. */
const usesHarnesses = new Set(["bench"]);

const harness = /\/testing(\/|\.ts$)/;

/** Exact, or correctly rounded, by the language's definition. All others may differ from engine to engine. */
const exactMath = new Set(
  "E LN10 LN2 LOG10E LOG2E PI SQRT1_2 SQRT2 abs ceil clz32 floor fround imul max min round sign sqrt trunc".split(" "),
);

const localeDependent = /^(localeCompare|toLocale[A-Z]\w*)$/;
const wallSwitch = /@ts-(ignore|expect-error|nocheck)|biome-ignore.*(noRestrictedGlobals|noNodejsModules|noConsole)/;
const tripleSlash = /^\/\s*<reference\b/;

export interface Breach {
  readonly path: string;
  readonly line: number;
  readonly message: string;
}

/** All breaches in one file. `path` is relative to the project's root, with forward slashes. */
export function breaches(path: string, text: string): Breach[] {
  const found: Breach[] = [];
  const report = (offset: number, message: string): void => {
    found.push({ path, line: text.slice(0, offset).split("\n").length, message });
  };

  const roomName = path.split("/")[0] ?? "";
  const room = rooms[roomName];
  if (room === undefined) {
    report(0, `the folder ${roomName} is not in the table of rooms: say there what it may import`);
    return found;
  }
  const isTest = path.endsWith(".test.ts");
  const isPure = room.pure && !isTest;

  const { program, comments, errors } = parseSync(path, text);
  for (const error of errors) report(error.labels[0]?.start ?? 0, error.message);

  for (const { offset, specifier } of importsOf(program)) {
    const complaint =
      specifier !== null
        ? importComplaint(path, roomName, isTest, specifier)
        : room.packages !== "any" && !isTest
          ? "an import that is computed cannot be checked"
          : undefined;
    if (complaint !== undefined) report(offset, complaint);
  }

  if (!isPure) return found;

  if (!/(?<!\.d)\.ts$/.test(path)) report(0, "a pure room holds .ts files only, so that the compiler sees all of it");

  for (const comment of comments) {
    if (wallSwitch.test(comment.value)) report(comment.start, "a comment that switches a wall off");
    if (comment.type === "Line" && tripleSlash.test(comment.value))
      report(comment.start, "a reference that brings in types from outside");
  }

  const exactMathAt = new Set<number>();
  const refuseAsync = (node: { start: number; async: boolean }): void => {
    if (node.async) report(node.start, "async: everything here is synchronous");
  };
  const refuseAmbient = (node: { start: number; declare?: boolean }): void => {
    if (node.declare === true)
      report(node.start, "an ambient declaration: it claims a global that this room must not have");
  };
  const refusePower = (node: { start: number; end: number }): void => {
    report(node.start, "** may differ from engine to engine: multiply, or write the constant");
  };

  new Visitor({
    FunctionDeclaration: refuseAsync,
    FunctionExpression: refuseAsync,
    ArrowFunctionExpression: refuseAsync,
    AwaitExpression: (node) => report(node.start, "await: everything here is synchronous"),
    ForOfStatement: (node) => {
      if (node.await) report(node.start, "for await: everything here is synchronous");
    },
    VariableDeclaration: refuseAmbient,
    TSDeclareFunction: refuseAmbient,
    ClassDeclaration: refuseAmbient,
    TSModuleDeclaration: refuseAmbient,
    MemberExpression: (node) => {
      if (node.computed) {
        if (node.property.type === "Literal" && localeDependent.test(String(node.property.value)))
          report(node.start, `${node.property.value} depends on the machine's locale`);
        return;
      }
      if (node.object.type === "Identifier" && node.object.name === "Math" && exactMath.has(node.property.name))
        exactMathAt.add(node.object.start);
    },
    Identifier: (node) => {
      if (node.name === "Math" && !exactMathAt.has(node.start))
        report(node.start, `of Math only what is exact everywhere: ${[...exactMath].join(", ")}`);
      if (localeDependent.test(node.name)) report(node.start, `${node.name} depends on the machine's locale`);
    },
    BinaryExpression: (node) => {
      if (node.operator !== "**") return;
      const { left, right } = node;
      const isExact =
        left.type === "Literal" &&
        right.type === "Literal" &&
        Number.isSafeInteger(left.value) &&
        Number.isSafeInteger(right.value) &&
        Number.isSafeInteger(Number(left.value) ** Number(right.value));
      if (!isExact) refusePower(node);
    },
    AssignmentExpression: (node) => {
      if (node.operator === "**=") refusePower(node);
    },
  }).visit(program);

  return found;
}

interface Import {
  readonly offset: number;
  /** Null: it is computed. */
  readonly specifier: string | null;
}

/** Every import and re-export of a file, of types too. */
function importsOf(program: Program): Import[] {
  const imports: Import[] = [];
  const add = (node: { start: number; source: { value: unknown } | null }): void => {
    if (node.source !== null) imports.push({ offset: node.start, specifier: String(node.source.value) });
  };
  new Visitor({
    ImportDeclaration: add,
    ExportNamedDeclaration: add,
    ExportAllDeclaration: add,
    TSImportType: add,
    TSExternalModuleReference: (node) => {
      imports.push({ offset: node.start, specifier: node.expression.value });
    },
    ImportExpression: ({ start, source }) => {
      imports.push({ offset: start, specifier: source.type === "Literal" ? String(source.value) : null });
    },
  }).visit(program);
  return imports;
}

function importComplaint(path: string, roomName: string, isTest: boolean, specifier: string): string | undefined {
  const room = rooms[roomName];
  if (room === undefined) return undefined;

  if (!specifier.startsWith(".")) {
    if (specifier.startsWith("/") || specifier.startsWith("file:"))
      return `"${specifier}": an absolute path works on one machine only`;
    if (room.packages === "any" || isTest) return undefined;
    if (isBuiltin(specifier)) return `"${specifier}": ${roomName} knows no Node API`;
    const allowed = room.packages;
    if (allowed.includes(specifier)) return undefined;
    return `"${specifier}": of packages ${roomName} may import ${allowed.join(" and ") || "none"}`;
  }

  const target = posix.join(posix.dirname(path), specifier);
  const targetRoom = target.split("/")[0] ?? "";
  if (targetRoom !== roomName && !room.rooms.includes(targetRoom))
    return `"${specifier}": ${roomName} may import ${room.rooms.join(", ") || "no other room"}, not ${targetRoom}`;
  if (target.endsWith(".test.ts")) return `"${specifier}": a test is nobody's library`;

  if (harness.test(target)) {
    if (!isTest && !usesHarnesses.has(roomName) && !harness.test(path))
      return `"${specifier}": a test harness is for tests, benchmarks and other harnesses`;
    // A room's harness has a door of its own: the room's door is production code.
    if (target.endsWith("/testing/index.ts")) return undefined;
  }

  const folder = outermostFolderEntered(path, target);
  if (folder === undefined || passesDoors.has(roomName) || target === `${folder}/index.ts`) return undefined;
  return `"${specifier}": enter ${folder} through its door, ${folder}/index.ts`;
}

/** The outermost folder that holds `target` but not `path`. */
function outermostFolderEntered(path: string, target: string): string | undefined {
  const folders = posix.dirname(target).split("/");
  for (let depth = 1; depth <= folders.length; depth++) {
    const folder = folders.slice(0, depth).join("/");
    if (!path.startsWith(`${folder}/`)) return folder;
  }
  return undefined;
}

/** Circles between files of core/. Tests are imported by nobody, so that none lies on a circle. */
function circleBreaches(files: ReadonlyMap<string, string>): Breach[] {
  const graph = new Map<string, string[]>();
  for (const [path, text] of files) {
    if (!path.startsWith("core/") || path.endsWith(".test.ts")) continue;
    const specifiers = importsOf(parseSync(path, text).program).flatMap(({ specifier }) => specifier ?? []);
    graph.set(
      path,
      specifiers.map((specifier) => posix.join(posix.dirname(path), specifier)),
    );
  }
  return circleComplaints(graph, circleExceptions).map((complaint) => ({ ...complaint, line: 1 }));
}

/** All breaches in the project at `root`. Files beside the rooms (configuration) are free. */
export function breachesIn(root: string): { files: number; found: Breach[] } {
  const paths = globSync("*/**/*.{ts,mts,cts,tsx,js,mjs,cjs,jsx}", {
    cwd: root,
    exclude: (path) => path.split("/").some((name) => name === "node_modules" || name.startsWith(".")),
  }).sort();
  const files = new Map(paths.map((path) => [path, readFileSync(`${root}/${path}`, "utf8")]));
  return {
    files: files.size,
    found: [...[...files].flatMap(([path, text]) => breaches(path, text)), ...circleBreaches(files)],
  };
}

if (import.meta.main) {
  const root = dirname(dirname(fileURLToPath(import.meta.url)));
  const { files, found } = breachesIn(root);
  for (const { path, line, message } of found) console.error(`${path}:${line} ${message}`);
  console.log(`walls: ${files} files, ${found.length} breaches`);
  if (found.length > 0 || files === 0) process.exitCode = 1;
}
