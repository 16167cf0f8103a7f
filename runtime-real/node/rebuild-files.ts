/**
 * The last steps of a rebuild, on disk: the damaged files go to a folder where they can be studied, and the files of
 * the new node come to their place. A process may die between any two steps; the next start takes those that are
 * left.
 */
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Logger } from "pino";
import { makeDurable } from "../files/index.ts";
import { DATABASE_FILES } from "../storage/index.ts";
import { IDENTITY_FILE } from "./identity-file.ts";

/** Holds the new node while the cluster is asked to admit it. Before that it is worth nothing. */
const REBUILDING = "rebuilding";
/** Holds the new node, whole, while the damaged files are moved away. */
const REBUILT = "rebuilt";
/** Holds what has still to be moved to the place of the damaged files, which are away. */
const MOVING = "rebuilt-moving";

/** What belongs to one node. The rest of a data directory stays where it is. */
const FILES = [IDENTITY_FILE, ...DATABASE_FILES];

/** An empty folder path for the new node. What an earlier attempt left there is deleted. */
export function emptyRebuildFolder(dataDir: string): string {
  const folder = join(dataDir, REBUILDING);
  rmSync(folder, { recursive: true, force: true });
  return folder;
}

/** The cluster has admitted the new node: from here on it is the one that this directory is for. */
export function commitRebuild(dataDir: string): void {
  renameSync(join(dataDir, REBUILDING), join(dataDir, REBUILT));
  makeDurable(dataDir);
}

/** Whether a rebuild was committed whose last steps have still to be taken. */
export function isRebuildUnfinished(dataDir: string): boolean {
  return [REBUILT, MOVING].some((folder) => existsSync(join(dataDir, folder)));
}

/** Takes the steps that are left, or none. */
export function finishRebuild(dataDir: string, log: Logger): void {
  const rebuilt = join(dataDir, REBUILT);
  const moving = join(dataDir, MOVING);
  if (existsSync(rebuilt)) {
    const folder = setAside(dataDir);
    if (folder !== null) log.warn({ folder }, "the damaged data was set aside");
    renameSync(rebuilt, moving);
    makeDurable(dataDir);
  }
  if (!existsSync(moving)) return;
  for (const file of FILES) if (existsSync(join(moving, file))) renameSync(join(moving, file), join(dataDir, file));
  makeDurable(dataDir);
  rmSync(moving, { recursive: true });
}

/** Moves the damaged files away. Nothing is deleted. Returns the folder; null: there were no files any more. */
function setAside(dataDir: string): string | null {
  const files = FILES.filter((file) => existsSync(join(dataDir, file)));
  if (files.length === 0) return null;
  const folder = join(dataDir, `set-aside-${new Date().toISOString().replaceAll(":", "-")}`);
  mkdirSync(folder, { mode: 0o700 });
  for (const file of files) renameSync(join(dataDir, file), join(folder, file));
  makeDurable(dataDir);
  return folder;
}
