import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { LIMITS } from "../../core/index.ts";
import { Identity, IdentityError, sha256, verifySignature } from "./identity.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "blixard-test-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const statement = new TextEncoder().encode("vote 7 for 2");

test("an identity survives its file, which its owner alone may read", async () => {
  const path = join(folder, "identity.key");
  const identity = await Identity.generate();
  identity.save(path);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  const loaded = Identity.load(path);
  expect(loaded.peerId).toBe(identity.peerId);
  expect(verifySignature(identity.peerId, statement, loaded.sign(statement))).toBe(true);
});

test("a key that is there is never replaced", async () => {
  const path = join(folder, "identity.key");
  const first = await Identity.generate();
  first.save(path);
  const second = await Identity.generate();
  expect(() => second.save(path)).toThrow(/EEXIST/);
  expect(Identity.load(path).peerId).toBe(first.peerId);
});

test("a key that others may read, no key, and no file are refused with what to do", async () => {
  const path = join(folder, "identity.key");
  expect(() => Identity.load(path)).toThrow(IdentityError);
  (await Identity.generate()).save(path);
  chmodSync(path, 0o640);
  expect(() => Identity.load(path)).toThrow(/mode 640.*chmod 600/);
  const other = join(folder, "other.key");
  writeFileSync(other, "not a key", { mode: 0o600 });
  expect(() => Identity.load(other)).toThrow(/no Ed25519 private key/);
});

test("a signature holds for its signer, its statement and in one text only", async () => {
  const [one, two] = [await Identity.generate(), await Identity.generate()];
  const signature = one.sign(statement);
  expect(verifySignature(one.peerId, statement, signature)).toBe(true);
  expect(verifySignature(two.peerId, statement, signature)).toBe(false);
  expect(verifySignature(one.peerId, statement.subarray(1), signature)).toBe(false);
  expect(verifySignature(one.peerId, statement, `${signature}=`)).toBe(false);
  expect(verifySignature(one.peerId, statement, ` ${signature}`)).toBe(false);
});

test.each(["", "12D3KooW", "peer-1", "Qm", "\u{1F600}", "1".repeat(200)])(
  "a signer named %j verifies nothing",
  (signer) => {
    expect(verifySignature(signer, statement, "A".repeat(86))).toBe(false);
  },
);

test("what the core is given fits its limits", async () => {
  const identity = await Identity.generate();
  expect(identity.peerId.length).toBeLessThanOrEqual(LIMITS.peerIdLength);
  expect(identity.sign(statement).length).toBeLessThanOrEqual(LIMITS.signatureLength);
  expect(sha256(statement).length).toBeLessThanOrEqual(LIMITS.digestLength);
});
