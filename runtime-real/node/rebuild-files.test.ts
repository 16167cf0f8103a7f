/** The last steps of a rebuild. Before whichever step a process dies, the next start takes that step and the rest. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterEach, beforeEach, expect, test } from "vitest";
import { finishRebuild } from "./rebuild-files.ts";

let dataDir = "";
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), "blixard-test-"));
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

const OLD = ["identity.key", "blixard.db", "blixard.db-wal", "blixard.db.horizon"];
const NEW = ["identity.key", "blixard.db", "blixard.db.horizon"];
const log = pino({ level: "silent" });

function fill(folder: string, files: readonly string[], words: string): void {
  mkdirSync(folder, { recursive: true });
  for (const file of files) writeFileSync(join(folder, file), words);
}

function contents(folder: string): Record<string, string> {
  const found = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(found.map(({ name }) => [name, readFileSync(join(folder, name), "utf8")]));
}

/** All files that were set aside, in however many folders. */
function aside(): Record<string, string> {
  const folders = readdirSync(dataDir).filter((name) => name.startsWith("set-aside-"));
  return Object.assign({}, ...folders.map((folder) => contents(join(dataDir, folder))));
}

const all = (files: readonly string[], words: string): Record<string, string> =>
  Object.fromEntries(files.map((file) => [file, words]));

test.each([0, 1, 2, 3, 4])("the process died after %i of the damaged files were set aside", (moved) => {
  fill(dataDir, OLD, "old");
  fill(join(dataDir, "rebuilt"), NEW, "new");
  const begun = join(dataDir, "set-aside-earlier");
  mkdirSync(begun);
  for (const file of OLD.slice(0, moved)) renameSync(join(dataDir, file), join(begun, file));
  finishRebuild(dataDir, log);
  expect(contents(dataDir)).toEqual(all(NEW, "new"));
  expect(aside()).toEqual(all(OLD, "old"));
  expect(readdirSync(dataDir).filter((name) => name.startsWith("rebuilt"))).toEqual([]);
});

test.each([0, 1, 2, 3])("the process died after %i of the new files had come to their place", (moved) => {
  fill(join(dataDir, "set-aside-earlier"), OLD, "old");
  fill(dataDir, NEW.slice(0, moved), "new");
  fill(join(dataDir, "rebuilt-moving"), NEW.slice(moved), "new");
  finishRebuild(dataDir, log);
  expect(contents(dataDir)).toEqual(all(NEW, "new"));
  expect(aside()).toEqual(all(OLD, "old"));
  expect(readdirSync(dataDir).filter((name) => name.startsWith("rebuilt"))).toEqual([]);
});

test("without a rebuild nothing is touched, and a new node that is not admitted yet is not used", () => {
  fill(dataDir, OLD, "old");
  fill(join(dataDir, "rebuilding"), NEW, "new");
  finishRebuild(dataDir, log);
  expect(contents(dataDir)).toEqual(all(OLD, "old"));
});
