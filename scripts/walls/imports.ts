/** Who may import whom, and only through doors. */
import { isBuiltin } from "node:module";
import { posix } from "node:path";
import { type Program, Visitor } from "oxc-parser";
import type { Room } from "./rooms.ts";
import { type Breach, breachAt, type Source } from "./source.ts";

/** A benchmark measures parts that a door does not show. */
const passesDoors = new Set(["bench"]);

/**
 * Parts of a room that have a door of their own: the definitions of the core, for commands that need these at once and
 * must not wait for the rest.
 */
const ownDoors = new Set(["core/domain/index.ts"]);

/** Benchmarks use the harnesses of tests. */
const usesHarnesses = new Set(["bench"]);

const harness = /\/testing\//;

export function importBreaches(source: Source, roomName: string, room: Room): Breach[] {
  return importsOf(source.program).flatMap(({ offset, specifier }) => {
    const complaint =
      specifier !== null
        ? importComplaint(source.path, roomName, room, source.isTest, specifier)
        : room.packages !== "any" && !source.isTest
          ? "an import that is computed cannot be checked"
          : undefined;
    return complaint === undefined ? [] : [breachAt(source, offset, complaint)];
  });
}

interface Import {
  readonly offset: number;
  /** Null: it is computed. */
  readonly specifier: string | null;
}

/** Every import and re-export of a file, of types too. */
export function importsOf(program: Program): Import[] {
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

function importComplaint(
  path: string,
  roomName: string,
  room: Room,
  isTest: boolean,
  specifier: string,
): string | undefined {
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

  if (target.endsWith("/testing.ts")) return `"${specifier}": a test harness is a folder with a door: testing/index.ts`;
  if (harness.test(target)) {
    if (!isTest && !usesHarnesses.has(roomName) && !harness.test(path))
      return `"${specifier}": a test harness is for tests, benchmarks and other harnesses`;
    // A room's harness has a door of its own: the room's door is production code.
    if (target.endsWith("/testing/index.ts")) return undefined;
  }

  if (ownDoors.has(target)) return undefined;
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
