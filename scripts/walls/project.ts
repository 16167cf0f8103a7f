/** All checks over all files. */
import { globSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import { circlesOf } from "./circles.ts";
import { commentBreaches } from "./comments.ts";
import { importBreaches, importsOf } from "./imports.ts";
import { purityBreaches } from "./purity.ts";
import { ROOMS } from "./rooms.ts";
import { type Breach, breachAt, type Source, sourceOf } from "./source.ts";

/** All breaches in the project at `root`. Files beside the rooms (configuration) are free. */
export function breachesIn(root: string): { files: number; found: Breach[] } {
  const paths = globSync("*/**/*.{ts,mts,cts,tsx,js,mjs,cjs,jsx}", {
    cwd: root,
    exclude: (path) => path.split("/").some((name) => name === "node_modules" || name.startsWith(".")),
  }).sort();
  const sources = paths.map((path) => sourceOf(path, readFileSync(`${root}/${path}`, "utf8")));
  return { files: sources.length, found: [...sources.flatMap(breaches), ...circleBreaches(sources)] };
}

function breaches(source: Source): Breach[] {
  const roomName = source.path.split("/")[0] ?? "";
  const room = ROOMS[roomName];
  if (room === undefined)
    return [breachAt(source, 0, `the folder ${roomName} is not in the table of rooms: say there what it may import`)];
  return [
    ...source.errors.map(({ labels, message }) => breachAt(source, labels[0]?.start ?? 0, message)),
    ...importBreaches(source, roomName, room),
    ...commentBreaches(source),
    ...(room.pure && !source.isTest ? purityBreaches(source) : []),
  ];
}

/** Circles between files of core/. Tests are imported by nobody, so that none lies on a circle. */
function circleBreaches(sources: readonly Source[]): Breach[] {
  const graph = new Map<string, string[]>();
  for (const { path, isTest, program } of sources) {
    if (isTest || !path.startsWith("core/")) continue;
    const specifiers = importsOf(program).flatMap(({ specifier }) => specifier ?? []);
    graph.set(
      path,
      specifiers.map((specifier) => posix.join(posix.dirname(path), specifier)),
    );
  }
  return circlesOf(graph).map((circle) => ({
    path: circle[0] ?? "",
    line: 1,
    message: `a circle of imports between ${circle.length} files: ${circle.join(", ")}`,
  }));
}
