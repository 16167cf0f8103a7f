import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { NodeStartError } from "../errors/index.ts";
import { JoinRefused } from "../join/index.ts";
import { InvalidToken } from "../tokens/index.ts";
import { hasIdentity, IDENTITY_FILE, identityToJoinWith, joinFailed, loadIdentity } from "./identity-file.ts";

let dataDir = "";
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), "blixard-test-"));
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

test("a join that is made again is made by the same identity", async () => {
  const { peerId } = await identityToJoinWith(dataDir);
  expect(hasIdentity(dataDir)).toBe(true);
  expect((await identityToJoinWith(dataDir)).peerId).toBe(peerId);
});

test("a file that holds no key is refused with what to do", () => {
  writeFileSync(join(dataDir, IDENTITY_FILE), "no key", { mode: 0o600 });
  expect(() => loadIdentity(dataDir)).toThrow(NodeStartError);
});

test.each([
  ["a refusal", new JoinRefused("expired", "too late"), false, false],
  ["a token that is none", new InvalidToken("no token"), false, false],
  ["no answer, after which the cluster may know the identity", new JoinRefused("notNow", "no leader"), false, true],
  ["a refusal of an identity that was there before", new JoinRefused("expired", "too late"), true, true],
])("%s removes the identity only if it was made for this join", async (_, error, hadIdentity, isKept) => {
  await identityToJoinWith(dataDir);
  const failed = joinFailed(dataDir, hadIdentity, error);
  expect(failed).toBeInstanceOf(NodeStartError);
  expect(failed).toMatchObject({ message: `cannot join: ${error.message}` });
  expect(hasIdentity(dataDir)).toBe(isKept);
});

test("any other error stays what it is, and so does the identity", async () => {
  await identityToJoinWith(dataDir);
  const error = new Error("disk full");
  expect(joinFailed(dataDir, false, error)).toBe(error);
  expect(hasIdentity(dataDir)).toBe(true);
});
