/** The last steps of a rebuild: whichever a process died before, the next start takes it and all that follow. */
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

/** What was set aside, in however many goes. */
function aside(): Record<string, string> {
  const folders = readdirSync(dataDir).filter((name) => name.startsWith("set-aside-"));
  return Object.assign({}, ...folders.map((folder) => contents(join(dataDir, folder))));
}

const all = (files: readonly string[], words: string): Record<string, string> =>
  Object.fromEntries(files.map((file) => [file, words]));

test.each([0, 1, 2, 3, 4])("the old life was moved out of the way but for what comes after %i files", (moved) => {
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

test.each([0, 1, 2, 3])("the new life was moved to its place but for what comes after %i files", (moved) => {
  fill(join(dataDir, "set-aside-earlier"), OLD, "old");
  fill(dataDir, NEW.slice(0, moved), "new");
  fill(join(dataDir, "rebuilt-moving"), NEW.slice(moved), "new");
  finishRebuild(dataDir, log);
  expect(contents(dataDir)).toEqual(all(NEW, "new"));
  expect(aside()).toEqual(all(OLD, "old"));
  expect(readdirSync(dataDir).filter((name) => name.startsWith("rebuilt"))).toEqual([]);
});

test("without a rebuild nothing is touched, nor what is not admitted yet taken for a life", () => {
  fill(dataDir, OLD, "old");
  fill(join(dataDir, "rebuilding"), NEW, "new");
  finishRebuild(dataDir, log);
  expect(contents(dataDir)).toEqual(all(OLD, "old"));
});
