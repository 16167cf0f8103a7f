/** Images that come from other hosts: whole, or not at all. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { chunkLength, digestOf } from "./description.ts";
import { ImageFetches } from "./image-fetches.ts";
import { parseQuestion, type Question, yes } from "./protocol.ts";
import { TestHosts } from "./testing/index.ts";

const CHUNKS = 6;
/** Of the kernel one is nothing but zeros, and is not copied; the initrd is one. */
const COPIED = CHUNKS + 1;

let folder = "";
let hosts: TestHosts;
let digest = "";
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "blixard-images-"));
  hosts = new TestHosts(folder, ["m1", "m2", "m3"]);
  digest = await hosts.addImage("m1", CHUNKS);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function fetches(patienceMs = 0): ImageFetches {
  return new ImageFetches({ ...hosts.host("m3"), log: pino({ level: "silent" }), patienceMs });
}

const words: string[] = [];
async function fetched(patienceMs = 0, signal = new AbortController().signal): Promise<void> {
  words.length = 0;
  await fetches(patienceMs).fetch(digest, signal, (said) => words.push(said));
}

/** Calls `then` for each question for a chunk, with how many there have been. */
function onChunk(then: (count: number, to: string) => void): void {
  let count = 0;
  hosts.road = (_, to, question) => {
    if (parseQuestion(question)?.kind === "chunk") then(++count, to);
  };
}

function sameAs(holder: string): void {
  for (const file of ["kernel", "initrd", "image.json"]) {
    const [copy, original] = ["m3", holder].map((peerId) =>
      readFileSync(join(folder, peerId, digest.replace(":", "-"), file)),
    );
    expect(copy?.equals(original ?? Buffer.alloc(0))).toBe(true);
  }
  expect(readdirSync(join(folder, "m3"))).toEqual([digest.replace(":", "-")]);
}

test("an image is copied whole, but for what is nothing but zeros, and how far it is is told", async () => {
  let copied = 0;
  onChunk((count) => {
    copied = count;
  });
  await fetched();
  sameAs("m1");
  expect(copied).toBe(COPIED);
  expect(words).toEqual(["looking for the image", `fetching image 0/${CHUNKS + 1} MiB`]);
});

test("the host that has it dies half way: what is there stays, and the rest comes from another", async () => {
  await hosts.addImage("m2", CHUNKS);
  const asked: string[] = [];
  onChunk((count, to) => {
    if (to === "m1" && count > 3) throw new Error("it is dead");
    asked.push(to);
  });
  await fetched(10_000);
  sameAs("m2");
  expect(asked.filter((to) => to === "m1")).toHaveLength(3);
  expect(asked.filter((to) => to === "m2")).toHaveLength(COPIED - 3);
});

test("this process dies half way: the next one goes on where it was, and mends what was damaged meanwhile", async () => {
  onChunk((count) => {
    if (count > 4) throw new Error("it is dead");
  });
  await expect(fetched()).rejects.toThrow("no node that has it gives the image");
  const [partial = ""] = readdirSync(join(folder, "m3"));
  const path = join(folder, "m3", partial, "kernel");
  const kernel = readFileSync(path);
  kernel[0] = 0xff;
  writeFileSync(path, kernel);
  let copied = 0;
  onChunk((count) => {
    copied = count;
  });
  await fetched();
  sameAs("m1");
  expect(copied).toBe(COPIED - 4 + 1);
});

test("nobody has it: that is said while there is hope, and then it fails", async () => {
  rmSync(join(folder, "m1"), { recursive: true });
  await expect(fetched(100)).rejects.toThrow(`no node that is connected has the image ${digest}`);
  expect(words.at(-1)).toBe("no node that is connected has the image now; looking again");
  expect(existsSync(join(folder, "m3"))).toBe(false);
});

test("who waits for the same image shares its copy; when nobody waits any more it ends, and leaves nothing", async () => {
  const shared = fetches();
  const ends = [new AbortController(), new AbortController()];
  let copied = 0;
  onChunk((count) => {
    copied = count;
    if (count === 2) ends[0]?.abort(new Error("stopped"));
  });
  const both = await Promise.allSettled(ends.map(({ signal }) => shared.fetch(digest, signal, () => undefined)));
  expect(both.map(({ status }) => status)).toEqual(["rejected", "fulfilled"]);
  expect(copied).toBe(COPIED);

  const other = await hosts.addImage("m1", CHUNKS - 1);
  const end = new AbortController();
  onChunk((count) => {
    if (count === 3) end.abort(new Error("deleted"));
  });
  await expect(shared.fetch(other, end.signal, () => undefined)).rejects.toThrow("deleted");
  await expect.poll(() => readdirSync(join(folder, "m3"))).toEqual([digest.replace(":", "-")]);
});

describe("a host that lies", () => {
  /** What m1 answers to a question of that kind. */
  function lie(kind: Question["kind"], answer: (question: Question) => Uint8Array): void {
    hosts.lie = (by, bytes) => {
      const question = parseQuestion(bytes);
      return by === "m1" && question?.kind === kind ? yes(answer(question)) : null;
    };
  }

  function lengthOf(question: Question): number {
    if (question.kind !== "chunk") return 0;
    const [kernel, initrd] = hosts.host("m1").store.describe(digest).files;
    const file = question.file === 0 ? kernel : initrd;
    return file === undefined ? 0 : chunkLength(file, question.index);
  }

  test.each([
    ["sends other bytes", () => lie("chunk", (question) => new Uint8Array(lengthOf(question)).fill(7))],
    ["sends too few", () => lie("chunk", () => new Uint8Array(3))],
    ["sends none", () => lie("chunk", () => new Uint8Array())],
    ["describes another image", () => lie("description", () => new TextEncoder().encode("{}"))],
    ["describes none", () => lie("description", () => new Uint8Array())],
    ["names a host that has it not", () => lie("find", () => new TextEncoder().encode('[["m2"]]'))],
  ])("%s: nothing of it is kept, and the image comes from another", async (_, lies) => {
    lies();
    await expect(fetched()).rejects.toThrow(/^no node that .* the image/);
    expect(hosts.host("m3").store.has(digest)).toBe(false);
    await hosts.addImage("m2", CHUNKS);
    await fetched(5000);
    sameAs("m2");
  });

  test("an image that is described by its digest, and is none, fails with what is wrong with it", async () => {
    const chunks = ["0".repeat(64)];
    const files = [
      { name: "kernel", sizeBytes: 1024 ** 5, chunks },
      { name: "initrd", sizeBytes: 1, chunks },
    ];
    const bytes = new TextEncoder().encode(JSON.stringify({ version: 2, kind: "kernel", commandLine: "", files }));
    hosts.lie = (by, question) => {
      const kind = by === "m1" ? parseQuestion(question)?.kind : undefined;
      if (kind === "find") return yes(new TextEncoder().encode("[[]]"));
      return kind === "description" ? yes(bytes) : null;
    };
    digest = digestOf(bytes);
    await expect(fetched()).rejects.toMatchObject({
      name: "ImageError",
      problem: { field: "description.files.0.sizeBytes" },
      message: expect.stringContaining(`${8 * 1024 ** 3}`),
    });
    expect(existsSync(join(folder, "m3"))).toBe(true);
    expect(readdirSync(join(folder, "m3"))).toEqual([]);
  });
});
