/** What a host does that a member asks to have an image. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterEach, beforeEach, expect, test } from "vitest";
import { HostImages } from "./host-images.ts";
import { encodeQuestion, given, NO } from "./protocol.ts";
import { TestHosts } from "./testing/index.ts";

const NEVER = new AbortController().signal;
const POLL = { timeout: 10_000 };

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "blixard-images-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A host that is connected to one member, and what it says when that member asks it to have an image. */
function host(member: TestHosts, patienceMs?: number): (digest: string) => Promise<string> {
  const peers = {
    isMember: false,
    isMemberOfCluster: (peerId: string) => peerId === "m1",
    ask: (to: string, question: Uint8Array) => member.host(to).exchange.answer("w1", question, NEVER),
    members: () => ["m1"],
    workers: () => [],
  };
  const images = new HostImages(join(folder, "data"), peers, pino({ level: "silent" }), patienceMs);
  return async (digest) => {
    const answer = await images.exchange.answer("m1", encodeQuestion({ kind: "hold", digest, route: [] }), NEVER);
    return new TextDecoder().decode(given(answer) ?? expect.fail("no answer"));
  };
}

test("it fetches the image, and says so each time that it is asked", async () => {
  const member = new TestHosts(folder, ["m1"]);
  const digest = await member.addImage("m1", 2);
  const hold = host(member);
  expect(await hold(digest)).toBe("looking for the image");
  await expect.poll(() => hold(digest)).toBe("it has it");
});

test("what it cannot fetch is told once, and then tried again; others wait for none of it", {
  timeout: 30_000,
}, async () => {
  const hold = host(new TestHosts(folder, ["m1"]), 300);
  const absent = (n: number): string => `sha256:${n.toString(16).repeat(64)}`;
  for (let n = 0; n < 8; n++) expect(await hold(absent(n))).toBe("looking for the image");
  expect(await hold(absent(8))).toBe("it fetches other images");
  await expect
    .poll(() => hold(absent(0)), POLL)
    .toMatch(/^it could not fetch it: no node that is connected has the image/);
  expect(await hold(absent(0))).toBe("looking for the image");
  await expect.poll(() => hold(absent(8)), POLL).toBe("looking for the image");
});

test("nobody but a member has it fetch anything", async () => {
  const member = new TestHosts(folder, ["m1"]);
  const question = encodeQuestion({ kind: "hold", digest: await member.addImage("m1", 1), route: [] });
  const { exchange } = member.host("m1");
  expect(await exchange.answer("w1", question, NEVER)).toEqual(NO);
});
