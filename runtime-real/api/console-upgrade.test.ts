/** Consoles over HTTP: over the socket and over TCP, with a node that shows what the test says. */
import { mkdtempSync, rmSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type ApiTarget, connectApi } from "../client/index.ts";
import {
  bytesFrame,
  CONSOLE_UPGRADE,
  type ConsoleView,
  CREDITS,
  FRAME_KIND,
  jsonFrame,
} from "../console-protocol/index.ts";
import type { LineListener } from "../consoles/index.ts";
import { ApiError } from "../errors/index.ts";
import type { ConsoleSource } from "./console-source.ts";
import { type ApiServer, handlersFor, startApi } from "./index.ts";
import { onlyMember, served } from "./testing/index.ts";

let folder = "";
let server: ApiServer;
let host: FakeHost;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "blixard-test-"));
  host = new FakeHost();
  server = await startApi({
    handlers: handlersFor(served(onlyMember(), () => Promise.reject(new Error("nothing is asked")))),
    events: { page: () => ({ events: [], complete: true, oldestIndex: null }), subscribe: () => () => undefined },
    consoles: host,
    socketPath: join(folder, "api.sock"),
    tcpBind: "127.0.0.1:0",
    authenticate: (bearer) => (bearer === "good" ? { kind: "token", tokenId: "t" } : null),
    log: pino({ level: "silent" }),
    version: "test",
  });
});
afterEach(async () => {
  await server.stop(200);
  rmSync(folder, { recursive: true, force: true });
});

const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 50));

class FakeHost implements ConsoleSource {
  asked: unknown[] = [];
  typed = "";
  more = 0;
  isClosed = false;
  backlogBytes = 0;
  reader: LineListener | null = null;

  open(name: string, view: ConsoleView, reader: LineListener) {
    this.asked.push({ name, view });
    if (name !== "web") return Promise.reject(new ApiError("vmNotFound", "there is no VM", "look"));
    this.reader = reader;
    reader.frame(jsonFrame(FRAME_KIND.opened, { workerId: 2, epoch: 3 }));
    return Promise.resolve({
      more: () => void this.more++,
      typed: (frame: Uint8Array) => {
        this.typed += new TextDecoder().decode(frame.subarray(1));
      },
      backlogBytes: this.backlogBytes,
      close: () => {
        this.isClosed = true;
      },
    });
  }

  writes(bytes: Uint8Array): void {
    this.reader?.frame(bytesFrame(FRAME_KIND.output, bytes));
  }
}

function local(): ApiTarget {
  return { socketPath: join(folder, "api.sock") };
}

const FOLLOW = { kind: "logs", previous: true, linesMax: 5, follow: true } as const;

test.each([
  ["over the socket", local],
  ["over TCP", () => ({ address: server.tcpAddress ?? "", token: "good" })],
])("%s: what the guest writes comes, what is typed goes, and the end is told", async (_, target) => {
  const api = connectApi(target());
  const stream = await api.console("web", { kind: "console" });
  stream.type(new TextEncoder().encode("root\n"));
  await settled();
  expect(host.typed).toBe("root\n");
  host.writes(new Uint8Array([1, 2, 3]));
  host.reader?.frame(new Uint8Array([FRAME_KIND.lost]));
  host.reader?.frame(jsonFrame(FRAME_KIND.ended, { reason: "the guest powered off" }));
  host.reader?.closed();
  const heard = [];
  for await (const news of stream.news()) heard.push(news);
  expect(heard).toEqual([
    { kind: "opened", workerId: 2, epoch: 3 },
    { kind: "output", bytes: new Uint8Array([1, 2, 3]) },
    { kind: "lost" },
    { kind: "ended", reason: "the guest powered off" },
  ]);
  await settled();
  expect(host.isClosed).toBe(true);
  await api.close();
});

test("logs are asked for with what they are to hold", async () => {
  const api = connectApi(local());
  (await api.console("web", FOLLOW)).close();
  (await api.console("web", { ...FOLLOW, linesMax: null, previous: false })).close();
  expect(host.asked).toEqual([
    { name: "web", view: FOLLOW },
    { name: "web", view: { ...FOLLOW, linesMax: null, previous: false } },
  ]);
  await api.close();
});

test("a client that does not read makes the host stop, and a client that goes ends it", async () => {
  const api = connectApi(local());
  const stream = await api.console("web", FOLLOW);
  const piece = new Uint8Array(32 * 1024);
  let sent = 0;
  // As a host does: never more than the reader has room for.
  for (let n = 0; n < 200; n++) {
    for (; sent - host.more < CREDITS && sent < 1000; sent++) host.writes(piece);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await settled();
  const waiting = sent;
  expect(waiting).toBeLessThan(100);
  const all = stream.news();
  for (let taken = 0; taken <= waiting; taken++) await all.next();
  await settled();
  expect(host.more).toBe(waiting);
  stream.close();
  await settled();
  expect(host.isClosed).toBe(true);
  await api.close();
});

test("when the host is lost, the client is told that, and not that the run has ended", async () => {
  const api = connectApi(local());
  const stream = await api.console("web", FOLLOW);
  host.reader?.closed();
  const all = stream.news();
  expect(await all.next()).toMatchObject({ value: { kind: "opened" } });
  await expect(all.next()).rejects.toMatchObject({ name: "ConnectError", kind: "lost" });
  await api.close();
});

test("a node that stops ends consoles", async () => {
  const api = connectApi(local());
  const stream = await api.console("web", FOLLOW);
  await server.stop(5000);
  const all = stream.news();
  expect(await all.next()).toMatchObject({ value: { kind: "opened" } });
  await expect(all.next()).rejects.toMatchObject({ kind: "lost" });
  expect(host.isClosed).toBe(true);
  await api.close();
});

test("a refusal is an error of the API, as everywhere", async () => {
  const api = connectApi(local());
  await expect(api.console("db", FOLLOW)).rejects.toMatchObject({ name: "ApiError", code: "vmNotFound" });
  await api.close();
  const stranger = connectApi({ address: server.tcpAddress ?? "", token: "bad" });
  await expect(stranger.console("web", FOLLOW)).rejects.toMatchObject({ code: "unauthenticated" });
  await stranger.close();
});

/** Asks for an upgrade by hand. Resolves to the status, and the code of the error where there is one. */
function upgrade(path: string, protocol: string = CONSOLE_UPGRADE): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = { connection: "Upgrade", upgrade: protocol };
    const sent = request({ socketPath: join(folder, "api.sock"), path, headers, agent: false });
    sent.once("upgrade", (_, socket) => {
      socket.destroy();
      resolve("101");
    });
    sent.once("response", (response) => {
      let text = "";
      response.on("data", (chunk) => {
        text += String(chunk);
      });
      response.once("end", () => resolve(`${response.statusCode} ${JSON.parse(text).error.code}`));
    });
    sent.once("error", reject);
    sent.end();
  });
}

test.each([
  ["/v1/vm.console?name=web", "101"],
  ["/v1/vm.logs?name=web&lines=0&follow=true", "101"],
  ["/v1/vm.logs?name=web&lines=-1", "400 invalidRequest"],
  ["/v1/vm.logs?name=web&lines=9999999999", "400 invalidRequest"],
  ["/v1/vm.logs?name=web&follow=maybe", "400 invalidRequest"],
  ["/v1/vm.logs?name=../web", "400 invalidRequest"],
  ["/v1/vm.logs", "400 invalidRequest"],
  ["/v1/vm.console?name=web&colour=red", "400 invalidRequest"],
  ["/v1/vm.screen?name=web", "404 unknownProcedure"],
  ["//", "404 unknownProcedure"],
])("%s: %s", async (path, answer) => {
  expect(await upgrade(path)).toBe(answer);
});

test("another upgrade is not taken: the request is served as it is", async () => {
  expect(await upgrade("/v1/vm.console?name=web", "h2c")).toBe("404 unknownProcedure");
});

test("a client that sends a frame that is too long is cut off", async () => {
  const headers = { connection: "Upgrade", upgrade: CONSOLE_UPGRADE };
  const sent = request({ socketPath: join(folder, "api.sock"), path: "/v1/vm.console?name=web", headers });
  const closed = new Promise((resolve) => {
    sent.once("upgrade", (_, socket) => {
      socket.once("close", () => resolve("closed"));
      socket.resume();
      socket.write(new Uint8Array([255, 255, 255, 255, 8]));
    });
  });
  sent.end();
  expect(await closed).toBe("closed");
  expect(host.isClosed).toBe(true);
});
