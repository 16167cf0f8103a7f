/** Who is asked for an image, and over whom. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ImageCopies } from "./image-copies.ts";
import { encodeQuestion, given, NO, type Question } from "./protocol.ts";
import { TestHosts } from "./testing/index.ts";

const NEVER = new AbortController().signal;
const ABSENT = `sha256:${"0".repeat(64)}`;

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "blixard-images-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Two members, each with workers that only it is connected to. */
function hosts(): TestHosts {
  return new TestHosts(folder, ["m1", "m2"], { w1: "m1", w1b: "m1", w2: "m2" });
}

test.each([
  ["m1", "m2", ["m2"]],
  ["m1", "w1", ["w1"]],
  ["m1", "w2", ["m2", "w2"]],
  ["w1", "m1", ["m1"]],
  ["w1", "w1b", ["m1", "w1b"]],
  ["w1", "m2", ["m1", "m2"]],
  ["w1", "w2", ["m1", "m2", "w2"]],
])("%s finds what %s has over %j, and gets it that way", async (asker, holder, route) => {
  const all = hosts();
  const digest = await all.addImage(holder, 2);
  const { exchange } = all.host(asker);
  expect(await exchange.find(digest, NEVER)).toEqual([route]);
  const { store } = all.host(holder);
  expect(await exchange.description(digest, route, NEVER)).toEqual(new Uint8Array(store.description(digest)));
  expect(await exchange.chunk(digest, route, 0, 2, NEVER)).toEqual(await store.chunk(digest, 0, 2));
  // Beyond its end, and of a file that it has not.
  expect(await exchange.chunk(digest, route, 0, 3, NEVER)).toBeNull();
  expect(await exchange.chunk(digest, route, 2, 0, NEVER)).toBeNull();
  expect(await exchange.description(ABSENT, route, NEVER)).toBeNull();
});

test("the nearest come first, and whoever does not answer has nothing", async () => {
  const all = hosts();
  let digest = "";
  for (const peerId of ["m2", "w1", "w2", "w1b"]) digest = await all.addImage(peerId, 1);
  const { exchange } = all.host("m1");
  expect((await exchange.find(digest, NEVER)).map((route) => route.join(">"))).toEqual(["w1", "w1b", "m2", "m2>w2"]);
  all.road = (_, to) => {
    if (to === "m2" || to === "w1") throw new Error("it is gone");
  };
  expect(await exchange.find(digest, NEVER)).toEqual([["w1b"]]);
  expect(await exchange.find(ABSENT, NEVER)).toEqual([]);
});

test("a worker passes nothing on, and nobody is asked a question that cannot be read", async () => {
  const all = hosts();
  const digest = await all.addImage("m2", 1);
  const answer = async (peerId: string, question: Question) =>
    given(await all.host(peerId).exchange.answer("m1", encodeQuestion(question), NEVER));
  expect(await answer("w1", { kind: "description", digest, route: ["m2"] })).toBeNull();
  expect(new TextDecoder().decode((await answer("w1", { kind: "find", digest, scope: "cluster" })) ?? undefined)).toBe(
    "[]",
  );
  let asked = 0;
  all.road = () => {
    asked++;
  };
  const { exchange } = all.host("m1");
  const hostile = [
    "",
    "{}",
    "no JSON",
    JSON.stringify({ kind: "find", digest: "../../etc", scope: "cluster" }),
    JSON.stringify({ kind: "description", digest, route: ["m2", "m1", "m2", "m1"] }),
    JSON.stringify({ kind: "chunk", digest, route: [], file: 0, index: -1 }),
    JSON.stringify({ kind: "chunk", digest, route: [], file: 0, index: 1e9 }),
    JSON.stringify({ kind: "chunk", digest, route: [], file: "../kernel", index: 0 }),
  ];
  for (const text of hostile)
    expect(await exchange.answer("w1", new TextEncoder().encode(text), NEVER), text).toEqual(NO);
  expect(asked).toBe(0);
});

test("a member has any host fetch an image, and a worker has none", async () => {
  const all = hosts();
  const asked: string[] = [];
  all.hold = (by, digest) => {
    asked.push(`${by} ${digest}`);
    return "fetching image 1/2 MiB";
  };
  // Over the member that it is connected to.
  expect(await all.host("m1").exchange.hold("w2", ABSENT, NEVER)).toBe("fetching image 1/2 MiB");
  expect(await all.host("m1").exchange.hold("none", ABSENT, NEVER)).toBeNull();
  expect(asked).toEqual([`w2 ${ABSENT}`]);
  const question = encodeQuestion({ kind: "hold", digest: ABSENT, route: [] });
  expect(await all.host("m1").exchange.answer("w1", question, NEVER)).toEqual(NO);
  const passed = encodeQuestion({ kind: "hold", digest: ABSENT, route: ["m2"] });
  expect(await all.host("m1").exchange.answer("w1", passed, NEVER)).toEqual(NO);
  expect(asked).toHaveLength(1);
});

test("two workers are to have an image, or the only one; whoever cannot be asked is passed over", async () => {
  const all = hosts();
  const digest = await all.addImage("w1", 1);
  const workers = ["w1", "w1b", "w2"];
  const copies = (online: readonly string[]): ImageCopies =>
    new ImageCopies({
      exchange: all.host("m1").exchange,
      self: "m1",
      hasHere: (of) => all.host("m1").store.has(of),
      workers: () => online,
    });
  all.hold = (by) => `${by} fetches it`;
  expect(await copies(workers).look(digest, NEVER)).toEqual({ copies: 1, wanted: 2, progress: "w1b fetches it" });
  all.road = (_, to) => {
    if (to === "w1b") throw new Error("it is gone");
  };
  expect(await copies(workers).look(digest, NEVER)).toEqual({ copies: 1, wanted: 2, progress: "w2 fetches it" });
  await all.addImage("w2", 1);
  expect(await copies(workers).look(digest, NEVER)).toEqual({ copies: 2, wanted: 2, progress: "" });
  expect(await copies(["w1"]).look(digest, NEVER)).toEqual({ copies: 1, wanted: 1, progress: "" });
  // What a host has that runs no VMs counts for nothing, and without workers there is none to ask.
  await all.addImage("m2", 1);
  expect(await copies(["w1", "w1b"]).look(digest, NEVER)).toMatchObject({
    copies: 1,
    progress: "no other worker answers",
  });
  expect(await copies([]).look(digest, NEVER)).toEqual({ copies: 0, wanted: 0, progress: "" });
});
