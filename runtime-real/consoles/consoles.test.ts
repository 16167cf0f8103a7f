/** Consoles between nodes that are lines in this process, of a host with a console that the test writes to. */
import { beforeEach, expect, test } from "vitest";
import { bytesFrame, CREDITS, FRAME_KIND, jsonFrame, jsonOf, LOST, MORE } from "../console-protocol/index.ts";
import type { ConsolePiece, ConsoleRun, Driver, MachineConsole } from "../worker/index.ts";
import { Consoles, type ConsolesParts } from "./consoles.ts";
import { ConsoleHost, READERS_MAX } from "./host.ts";
import { type Line, localLine } from "./line.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 60));

/** The console of one run. Each piece is one frame. */
class FakeConsole implements MachineConsole {
  readonly epoch = 3;
  readonly pieces: ConsolePiece[] = [];
  reason: string | null = null;
  typed = "";
  keptBytes = 0;
  /** The guest writes for ever. */
  isEndless = false;
  open = 0;

  write(...texts: readonly string[]): void {
    for (const text of texts) this.pieces.push({ kind: "output", bytes: bytes(text) });
  }

  read() {
    this.open++;
    let at = 0;
    return {
      keptBytes: this.keptBytes,
      next: (): ConsolePiece | null =>
        this.isEndless ? { kind: "output", bytes: bytes("y\n") } : (this.pieces[at++] ?? this.#notYet(() => at--)),
      close: () => void this.open--,
    };
  }

  #notYet(back: () => void): null {
    back();
    return null;
  }

  end(): string | null {
    return this.reason;
  }

  type(typed: Uint8Array): void {
    this.typed += new TextDecoder().decode(typed);
  }
}

let web: FakeConsole;
beforeEach(() => {
  web = new FakeConsole();
});

const driver: Driver = {
  name: "fake",
  features: [],
  listen: () => undefined,
  inventory: () => [],
  perform: () => undefined,
  fenceAt: () => undefined,
  console: (name: string, run: ConsoleRun) => (name === "web" && run === "last" ? web : null),
  close: () => undefined,
};

function nodeOf(workerId: number, own: Partial<ConsolesParts> = {}, runs: Driver | null = driver): Consoles {
  return new Consoles({
    workerId,
    host: new ConsoleHost({ workerId, driver: () => runs }),
    open: () => Promise.reject(new Error("not connected")),
    peerIdOf: (id) => `peer-${id}`,
    patienceMs: 0,
    members: () => [],
    ...own,
  });
}

/** The way to another node. */
function lineTo(node: Consoles): Line {
  const [near, far] = localLine();
  node.answer(far);
  return near;
}

/** A reader that takes frames as they come, or none at all. */
class Reader {
  readonly frames: Uint8Array[] = [];
  isClosed = false;

  frame(frame: Uint8Array): void {
    this.frames.push(frame);
  }

  closed(): void {
    this.isClosed = true;
  }

  get text(): string {
    return this.frames
      .map((frame) =>
        frame[0] === FRAME_KIND.output ? new TextDecoder().decode(frame.subarray(1)) : `<${nameOf(frame)}>`,
      )
      .join("");
  }
}

function nameOf(frame: Uint8Array): string {
  return Object.entries(FRAME_KIND).find(([, kind]) => kind === frame[0])?.[0] ?? "unknown";
}

const ATTACH = { kind: "console" } as const;
const LOGS = { kind: "logs", previous: false, linesMax: null, follow: false } as const;

test("the console of this host: what the guest writes, what is typed, and why it has ended", async () => {
  const reader = new Reader();
  const opened = await nodeOf(1).open({ name: "web", workerId: 1, view: ATTACH }, reader);
  web.write("login: ");
  opened.typed(bytesFrame(FRAME_KIND.typed, bytes("root\n")));
  await settled();
  expect({ text: reader.text, typed: web.typed }).toEqual({ text: "<opened>login: ", typed: "root\n" });
  web.reason = "the guest powered off";
  web.write("bye");
  await settled();
  expect(reader.text).toBe("<opened>login: bye<ended>");
  expect(jsonOf(reader.frames.at(-1) ?? new Uint8Array())).toEqual({ reason: "the guest powered off" });
  expect({ isClosed: reader.isClosed, open: web.open }).toEqual({ isClosed: true, open: 0 });
});

test("by way of a member that is connected to the host", async () => {
  const host = nodeOf(7, { peerIdOf: () => null });
  const between = nodeOf(2, { open: (to) => Promise.resolve(lineTo(to === "peer-7" ? host : expect.fail(to))) });
  const asked = nodeOf(1, {
    open: (to) => (to === "peer-2" ? Promise.resolve(lineTo(between)) : Promise.reject(new Error("not connected"))),
    members: () => ["peer-2"],
  });
  const reader = new Reader();
  const opened = await asked.open({ name: "web", workerId: 7, view: ATTACH }, reader);
  web.write("one ", "two ");
  opened.typed(bytesFrame(FRAME_KIND.typed, bytes("ls\n")));
  await settled();
  expect({ text: reader.text, typed: web.typed }).toEqual({ text: "<opened>one two ", typed: "ls\n" });
  opened.close();
  await settled();
  expect(web.open).toBe(0);
});

test("an ask is passed on once, not from member to member", async () => {
  const nodes: Consoles[] = [];
  const open = (to: string): Promise<Line> => {
    const node = nodes.find((_, at) => to === `peer-${at + 1}`);
    return node === undefined ? Promise.reject(new Error("not connected")) : Promise.resolve(lineTo(node));
  };
  for (const id of [1, 2, 3]) nodes.push(nodeOf(id, { open, members: () => ["peer-1", "peer-2", "peer-3"] }));
  await expect(nodes[0]?.open({ name: "web", workerId: 7, view: ATTACH }, new Reader())).rejects.toMatchObject({
    code: "workerUnreachable",
    details: { workerId: 7 },
  });
});

test("a host that connects in a moment is waited for", async () => {
  const host = nodeOf(7);
  let tries = 0;
  const asked = nodeOf(1, {
    open: () => (++tries < 2 ? Promise.reject(new Error("not connected")) : Promise.resolve(lineTo(host))),
    patienceMs: 5000,
  });
  const opened = await asked.open({ name: "web", workerId: 7, view: ATTACH }, new Reader());
  expect(tries).toBe(2);
  opened.close();
});

test("a host sends as much as the reader has room for, and goes on when there is room again", async () => {
  web.write(...Array.from({ length: 50 }, (_, n) => `${n} `));
  const reader = new Reader();
  const opened = await nodeOf(1).open({ name: "web", workerId: 1, view: { ...LOGS, follow: true } }, reader);
  await settled();
  expect(reader.frames).toHaveLength(1 + CREDITS);
  for (let n = 0; n < 3; n++) opened.more();
  await settled();
  expect(reader.frames).toHaveLength(1 + CREDITS + 3);
  expect(reader.text).toBe(`<opened>${Array.from({ length: CREDITS + 3 }, (_, n) => `${n} `).join("")}`);
  opened.close();
});

test("the logs of a guest that writes for ever come to an end", async () => {
  web.isEndless = true;
  web.keptBytes = 11;
  const reader = new Reader();
  const opened = await nodeOf(1).open({ name: "web", workerId: 1, view: LOGS }, reader);
  for (let n = 0; n < 20; n++) {
    opened.more();
    await Promise.resolve();
  }
  await settled();
  expect(reader.text).toBe(`<opened>${"y\n".repeat(6)}<ended>`);
});

test("nothing can be typed where only logs were asked for", async () => {
  const reader = new Reader();
  const opened = await nodeOf(1).open({ name: "web", workerId: 1, view: { ...LOGS, follow: true } }, reader);
  opened.typed(bytesFrame(FRAME_KIND.typed, bytes("reboot\n")));
  await settled();
  expect(web.typed).toBe("");
  opened.close();
});

test.each([
  ["a host without a driver", nodeOf(1, {}, null), { name: "web", view: ATTACH }, "workerHasNoDriver"],
  ["a VM that is not built yet", nodeOf(1), { name: "db", view: ATTACH }, "machineNotFound"],
  ["no run before", nodeOf(1), { name: "web", view: { ...LOGS, previous: true } }, "noEarlierRun"],
] as const)("%s is refused", async (_, node, asked, code) => {
  const reader = new Reader();
  await expect(node.open({ ...asked, workerId: 1 }, reader)).rejects.toMatchObject({ code });
  expect(reader.frames).toEqual([]);
});

test("a host shows a bounded number of consoles at a time", async () => {
  const host = nodeOf(1);
  const asked = { name: "web", workerId: 1, view: ATTACH } as const;
  const all = await Promise.all(Array.from({ length: READERS_MAX }, () => host.open(asked, new Reader())));
  await expect(host.open(asked, new Reader())).rejects.toMatchObject({ code: "tooManyPending" });
  all[0]?.close();
  await settled();
  (await host.open(asked, new Reader())).close();
  for (const opened of all) opened.close();
});

test.each([
  ["no JSON", bytesFrame(FRAME_KIND.ask, bytes("nonsense"))],
  ["another kind", MORE],
  ["an empty frame", new Uint8Array()],
  ["a view that is none", bytesFrame(FRAME_KIND.ask, bytes('{"name":"web","workerId":1,"view":{"kind":"x"}}'))],
])("a peer that asks with %s is refused, and the line ends", async (_, frame) => {
  const reader = new Reader();
  const line = lineTo(nodeOf(1));
  line.listen(reader);
  line.send(frame);
  await settled();
  expect({ text: reader.text, isClosed: reader.isClosed }).toEqual({ text: "<refused>", isClosed: true });
});

const OPENED = jsonFrame(FRAME_KIND.opened, { workerId: 7, epoch: 1 });

test.each([
  ["more than there is room for", Array.from({ length: CREDITS + 1 }, () => LOST), CREDITS],
  ["a frame of no kind", [new Uint8Array([99])], 0],
  ["a second opening", [OPENED], 0],
])("a host that sends %s is cut off", async (_, frames, taken) => {
  const [near, far] = localLine();
  const reader = new Reader();
  const opened = nodeOf(1, { open: () => Promise.resolve(near) }).open(
    { name: "web", workerId: 7, view: ATTACH },
    reader,
  );
  for (const frame of [OPENED, ...frames]) far.send(frame);
  await opened;
  await settled();
  expect({ frames: reader.frames.length, isClosed: reader.isClosed }).toEqual({ frames: 1 + taken, isClosed: true });
});

test("a refusal that is none is said to be unreadable", async () => {
  const [near, far] = localLine();
  const opened = nodeOf(1, { open: () => Promise.resolve(near) }).open(
    { name: "web", workerId: 7, view: ATTACH },
    new Reader(),
  );
  far.send(bytesFrame(FRAME_KIND.refused, bytes('{"code":"toString","message":"","hint":"","details":{}}')));
  await expect(opened).rejects.toMatchObject({ code: "internal" });
});
