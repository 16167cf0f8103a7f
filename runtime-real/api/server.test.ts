import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ClusterEvent } from "../../core/index.ts";
import { type ApiClient, connectApi, type StreamedEvent } from "../client/index.ts";
import { ApiError } from "../errors/index.ts";
import { type ApiServer, type ConsoleSource, type EventSource, type Handlers, startApi } from "./index.ts";
import { answerCall, decodeCallAnswer, encodeCall } from "./member-calls.ts";
import { openApiDocument } from "./openapi.ts";
import { procedures } from "./procedures.ts";

let folder = "";
let socketPath = "";
let server: ApiServer | null = null;
let client: ApiClient;
let logged: string[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "blixard-test-"));
  socketPath = join(folder, "api.sock");
  client = connectApi({ socketPath });
  logged = [];
});
afterEach(async () => {
  await client.close();
  await server?.stop(200);
  server = null;
  rmSync(folder, { recursive: true, force: true });
});

const refused = (): Promise<never> => Promise.reject(new ApiError("noLeader", "no leader", "wait"));

const created = (index: number) =>
  Promise.resolve({ index, term: 1, result: { ok: true, kind: "vmCreated", generation: 1 } } as const);

/** Opens and closes sessions, and asks `create` of each VM. */
function commits(create: Handlers["commit"], openSession = () => 7): Handlers["commit"] {
  const at = { index: 1, term: 1 };
  return async (session, command, context) => {
    switch (command.kind) {
      case "openSession":
        return { ...at, result: { ok: true, kind: "sessionOpened", sessionId: openSession() } };
      case "closeSession":
        return { ...at, result: { ok: true, kind: "sessionClosed", sessionId: session?.id ?? 0 } };
      default:
        return await create(session, command, context);
    }
  };
}

/** Handlers that refuse, except those that a test gives. */
function handlers(own: Partial<Handlers> = {}): Handlers {
  return {
    commit: commits(() => created(2)),
    "cluster.status": refused,
    "cluster.members": refused,
    "cluster.leave": refused,
    "image.copy": refused,
    "cluster.transferLeader": refused,
    "vm.list": () => Promise.resolve({ index: 2, vms: [], nextAfterName: null }),
    "vm.show": refused,
    "token.create": refused,
    "token.list": refused,
    "events.list": refused,
    "worker.list": refused,
    "worker.show": refused,
    "worker.remove": refused,
    "vm.plan": refused,
    "vm.explain": refused,
    "task.list": refused,
    "task.show": refused,
    "quota.get": refused,
    "quota.list": refused,
    "ipPool.list": refused,
    "ipPool.show": refused,
    "scheduler.get": refused,
    "rebalance.plan": refused,
    ...own,
  };
}

/** Events that a test adds to. */
class Events implements EventSource {
  readonly all: ClusterEvent[] = [];
  oldest = 1;
  #listeners = new Set<() => void>();

  add(index: number): void {
    this.all.push({ index, term: 1, atMs: 0, kind: "tokenRevoked", tokenId: "token001" });
    for (const listener of this.#listeners) listener();
  }

  page(afterIndex: number, limit: number) {
    const kept = this.all.filter(({ index }) => index >= this.oldest);
    return {
      events: kept.filter(({ index }) => index > afterIndex).slice(0, limit),
      complete: afterIndex >= this.oldest - 1,
      oldestIndex: kept[0]?.index ?? null,
    };
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

async function serve(
  own: Partial<Handlers> = {},
  events: EventSource = new Events(),
  tcp = false,
  consoles: ConsoleSource = { open: () => Promise.reject(new ApiError("vmNotFound", "no such VM", "")) },
): Promise<ApiServer> {
  server = await startApi({
    handlers: handlers(own),
    events,
    consoles,
    socketPath,
    tcpBind: tcp ? "127.0.0.1:0" : null,
    authenticate: (bearer) => (bearer === "good" ? { kind: "token", tokenId: "t" } : null),
    log: pino({ level: "debug" }, { write: (line) => void logged.push(line) }),
    version: "1.2.3",
  });
  return server;
}

interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

function send(options: {
  method?: string;
  path?: string;
  headers?: Record<string, string>;
  body?: string;
}): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const {
      method = "POST",
      path = "/v1/vm.create",
      headers = { "content-type": "application/json" },
      body = "",
    } = options;
    const sent = request({ socketPath, method, path, headers }, (response) => {
      let text = "";
      response.on("data", (chunk) => {
        text += String(chunk);
      });
      response.once("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }));
    });
    sent.once("error", reject);
    sent.end(body);
  });
}

function errorOf({ body }: Reply): {
  code: string;
  message: string;
  hint: string;
  requestId: string;
  details: Record<string, unknown>;
} {
  return JSON.parse(body).error;
}

describe("a request", () => {
  test("is checked, filled with defaults, and answered", async () => {
    const seen: unknown[] = [];
    await serve({
      commit: commits((session, command) => {
        seen.push({ session, ...command });
        return created(9);
      }),
    });
    expect(await client.call("vm.create", { name: "web", spec: { vcpus: 4 } })).toEqual({
      index: 9,
      term: 1,
      generation: 1,
    });
    expect(seen).toEqual([
      expect.objectContaining({
        name: "web",
        session: null,
        spec: expect.objectContaining({ vcpus: 4, memoryMiB: 1024 }),
      }),
    ]);
  });

  test.each<[string, Parameters<typeof send>[0], number, string, string]>([
    ["no JSON", { body: "{" }, 400, "invalidRequest", "request"],
    ["an unknown field", { body: '{"name":"web","oops":1}' }, 400, "invalidRequest", "request"],
    ["a wrong field", { body: '{"name":"Web"}' }, 400, "invalidRequest", "name"],
    ["a field too large", { body: '{"name":"web","spec":{"vcpus":5000}}' }, 400, "invalidRequest", "spec.vcpus"],
    ["nothing", {}, 400, "invalidRequest", "request"],
    ["another type", { body: "{}", headers: { "content-type": "text/plain" } }, 400, "invalidRequest", "content-type"],
    ["an unknown procedure", { path: "/v1/vm.explode", body: "{}" }, 404, "unknownProcedure", ""],
    ["a name that objects have", { path: "/v1/constructor", body: "{}" }, 404, "unknownProcedure", ""],
    ["another method", { method: "PUT", body: "{}" }, 404, "unknownProcedure", ""],
    ["another path", { path: "/", body: "{}" }, 404, "unknownProcedure", ""],
  ])("with %s is refused with its field, and what to do", async (_, options, status, code, field) => {
    await serve();
    const reply = await send(options);
    expect(reply.status).toBe(status);
    const error = errorOf(reply);
    expect(error.code).toBe(code);
    expect(error.hint).not.toBe("");
    if (field !== "") expect(error.details["field"]).toBe(field);
  });

  test("of more than a mebibyte is refused, announced or not", async () => {
    await serve();
    const body = JSON.stringify({ name: "x".repeat(1024 * 1024) });
    const announced = await send({
      body,
      headers: { "content-type": "application/json", "content-length": `${body.length}` },
    });
    expect(announced.status).toBe(413);
    expect((await send({ body })).status).toBe(413);
    expect(await client.call("vm.list", {})).toEqual({ index: 2, vms: [], nextAfterName: null });
  });

  test("has an id, which is in the answer and in every line of its log", async () => {
    await serve({
      "vm.list": (_, { log }) => {
        log.info("half way");
        return Promise.reject(new Error("a defect with /secret/paths"));
      },
    });
    const reply = await send({
      path: "/v1/vm.list",
      body: "{}",
      headers: { "content-type": "application/json", "x-request-id": "abc-1" },
    });
    expect(reply.status).toBe(500);
    expect(reply.headers["x-request-id"]).toBe("abc-1");
    expect(errorOf(reply)).toMatchObject({ code: "internal", requestId: "abc-1" });
    expect(reply.body).not.toContain("secret");
    const lines = logged.map((line) => JSON.parse(line));
    expect(lines.map(({ requestId }) => requestId)).toEqual(["abc-1", "abc-1"]);
    expect(JSON.stringify(lines)).toContain("/secret/paths");
    const strange = await send({
      body: "{}",
      headers: { "content-type": "application/json", "x-request-id": "a\tb".repeat(9) },
    });
    expect(strange.headers["x-request-id"]).toMatch(/^[0-9a-f-]{36}$/);
  });
});

describe("the socket", () => {
  test("is only for its owner, and replaces a dead socket but never a live one", async () => {
    writeFileSync(socketPath, "left by a process that died");
    const first = await serve();
    expect(statSync(socketPath).mode & 0o777).toBe(0o600);
    await expect(serve()).rejects.toMatchObject({ name: "ApiListenError", hint: expect.stringContaining("already") });
    await first.stop(100);
    await serve();
    expect((await client.call("vm.list", {})).vms).toEqual([]);
  });

  test("stops within its limit although a request and a stream hang", async () => {
    const begun = Promise.withResolvers<void>();
    const api = await serve({
      commit: commits(() => {
        begun.resolve();
        return new Promise(() => undefined);
      }),
    });
    const hanging = client.call("vm.create", { name: "web" });
    const abort = new AbortController();
    const stream = client.events({ afterIndex: 0, signal: abort.signal }).next();
    await begun.promise;
    await api.stop(50);
    await expect(hanging).rejects.toMatchObject({ name: "ConnectError" });
    abort.abort();
    await stream;
    await expect(client.call("vm.list", {})).rejects.toMatchObject({ name: "ConnectError" });
  });
});

test("over TCP a token is asked for", async () => {
  const api = await serve({}, new Events(), true);
  const over = (token: string | null): Promise<unknown> => {
    const remote = connectApi({ address: api.tcpAddress ?? "", token });
    return remote.call("vm.list", {}).finally(() => remote.close());
  };
  await expect(over(null)).rejects.toMatchObject({ code: "unauthenticated" });
  await expect(over("bad")).rejects.toMatchObject({
    code: "unauthenticated",
    hint: expect.stringContaining("token create"),
  });
  expect(await over("good")).toEqual({ index: 2, vms: [], nextAfterName: null });
});

describe("events", () => {
  test("stream from the index that was asked for, and go on after a lost connection", async () => {
    const events = new Events();
    for (const index of [1, 2, 5]) events.add(index);
    const api = await serve({}, events);
    const abort = new AbortController();
    const stream = client.events({ afterIndex: 1, signal: abort.signal });
    const next = async (): Promise<StreamedEvent | undefined> => (await stream.next()).value ?? undefined;
    expect(await next()).toMatchObject({ kind: "event", event: { index: 2 } });
    expect(await next()).toMatchObject({ kind: "event", event: { index: 5 } });
    const waiting = next();
    await api.stop(50);
    await serve({}, events);
    events.add(8);
    expect(await waiting).toMatchObject({ kind: "event", event: { index: 8 } });
    abort.abort();
    await stream.return();
  });

  test("go on after the id that a browser has seen last, and each carries its own", async () => {
    const events = new Events();
    for (const index of [1, 2, 5, 9]) events.add(index);
    await serve({}, events);
    const [text, socket] = await new Promise<[string, ReturnType<typeof connect>]>((resolve) => {
      const opened = connect(socketPath);
      let heard = "";
      opened.on("data", (chunk) => {
        heard += String(chunk);
        if (heard.includes("id: 9")) resolve([heard, opened]);
      });
      opened.write("GET /v1/events?after=1 HTTP/1.1\r\nhost: x\r\nlast-event-id: 2\r\n\r\n");
    });
    socket.destroy();
    expect(text).toMatch(/content-type: text\/event-stream/i);
    expect(Array.from(text.matchAll(/^id: (\d+)/gm), ([, id]) => Number(id))).toEqual([5, 9]);
  });

  test("say when some have been dropped already", async () => {
    const events = new Events();
    for (let index = 1; index <= 300; index++) events.add(index);
    events.oldest = 200;
    await serve({}, events);
    const abort = new AbortController();
    const stream = client.events({ afterIndex: 1, signal: abort.signal });
    expect((await stream.next()).value).toEqual({ kind: "gap", oldestIndex: 200 });
    const indexes: number[] = [];
    for (let n = 0; n < 101; n++) {
      const { value } = await stream.next();
      if (value?.kind === "event") indexes.push(value.event.index);
    }
    expect(indexes).toEqual(Array.from({ length: 101 }, (_, n) => 200 + n));
    abort.abort();
    await stream.return();
  });

  test("are not read for a reader that does not take them", async () => {
    const events = new Events();
    for (let index = 1; index <= 200_000; index++)
      events.all.push({ index, term: 1, atMs: 0, kind: "tokenRevoked", tokenId: "token001" });
    let pages = 0;
    await serve(
      {},
      {
        page: (afterIndex, limit) => {
          pages++;
          return { events: events.all.slice(afterIndex, afterIndex + limit), complete: true, oldestIndex: 1 };
        },
        subscribe: (listener) => events.subscribe(listener),
      },
    );
    const socket = connect(socketPath);
    socket.write("GET /v1/events?after=0 HTTP/1.1\r\nhost: x\r\n\r\n");
    socket.pause();
    let before = -1;
    while (before !== pages || pages === 0) {
      before = pages;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(pages).toBeLessThan(500);
    socket.destroy();
  });
});

describe("a client's write", () => {
  test("that loses its answer is tried again, and is the same request", async () => {
    const asked: unknown[] = [];
    await serve({
      commit: commits((session) => {
        asked.push(session);
        return asked.length < 3 ? refused() : created(5);
      }),
    });
    expect(await client.write("vm.create", { name: "web" })).toEqual({ index: 5, term: 1, generation: 1 });
    expect(asked).toEqual(Array.from({ length: 3 }, () => ({ id: 7, sequence: 1, lowestUnacknowledged: 1 })));
  });

  test("goes to the next node when one is gone, or drops the connection in the middle", async () => {
    const dropping = join(folder, "dropping.sock");
    const rude = createServer((socket) => void socket.once("data", () => socket.destroy()));
    await new Promise<void>((resolve) => rude.listen(dropping, resolve));
    await serve();
    const several = connectApi([{ socketPath: join(folder, "nobody.sock") }, { socketPath: dropping }, { socketPath }]);
    expect(await several.write("vm.create", { name: "web" })).toEqual({ index: 2, term: 1, generation: 1 });
    await several.close();
    rude.close();
  });

  test("that can only be refused is refused at once", async () => {
    let asked = 0;
    await serve({
      commit: commits(() => {
        asked++;
        return Promise.reject(new ApiError("vmExists", "there is one", "choose another"));
      }),
    });
    await expect(client.write("vm.create", { name: "web" })).rejects.toMatchObject({
      code: "vmExists",
      hint: "choose another",
    });
    expect(asked).toBe(1);
  });

  test("whose session is gone says so, and the next one begins a new session", async () => {
    let opened = 0;
    await serve({
      commit: commits(
        (session) =>
          session?.id === 1 ? Promise.reject(new ApiError("sessionExpired", "gone", "open a new one")) : created(2),
        () => ++opened,
      ),
    });
    await expect(client.write("vm.create", { name: "web" })).rejects.toMatchObject({ code: "sessionExpired" });
    expect(await client.write("vm.create", { name: "web" })).toMatchObject({ index: 2 });
    expect(opened).toBe(2);
  });

  test("numbers the writes that are under way, and acknowledges those that are answered", async () => {
    const seen: unknown[] = [];
    const gate = Promise.withResolvers<void>();
    await serve({
      commit: commits(async (session, command) => {
        seen.push(session);
        if (command.kind === "createVm" && command.name === "first") await gate.promise;
        return await created(1);
      }),
    });
    const first = client.write("vm.create", { name: "first" });
    while (seen.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    await client.write("vm.create", { name: "second" });
    gate.resolve();
    await first;
    await client.write("vm.create", { name: "third" });
    expect(seen).toEqual([
      { id: 7, sequence: 1, lowestUnacknowledged: 1 },
      { id: 7, sequence: 2, lowestUnacknowledged: 1 },
      { id: 7, sequence: 3, lowestUnacknowledged: 3 },
    ]);
  });
});

describe("a call between members", () => {
  const log = pino({ level: "silent" });
  const { signal } = new AbortController();

  test("goes through the same dispatch", async () => {
    const bytes = encodeCall("vm.list", { afterName: null, limit: 1, tenant: null, stale: false }, "r-1");
    const answer = await answerCall(handlers(), "peer", bytes, log, signal);
    expect(decodeCallAnswer<"vm.list">(answer)).toEqual({ index: 2, vms: [], nextAfterName: null });
    const failing = await answerCall(
      handlers(),
      "peer",
      encodeCall("cluster.leave", { nodeId: 1 }, "r-2"),
      log,
      signal,
    );
    expect(() => decodeCallAnswer(failing)).toThrow(expect.objectContaining({ code: "noLeader" }));
  });

  test("of rubbish is answered with a typed error, and rubbish as an answer is one", async () => {
    for (const rubbish of [new Uint8Array(), Uint8Array.of(255, 0), new TextEncoder().encode('{"procedure":1}')]) {
      const answer = await answerCall(handlers(), "peer", rubbish, log, signal);
      expect(() => decodeCallAnswer(answer)).toThrow(expect.objectContaining({ code: "invalidRequest" }));
      expect(() => decodeCallAnswer(rubbish)).toThrow(expect.objectContaining({ code: "internal" }));
    }
  });
});

test("the OpenAPI document has every procedure, and refers to nothing that is not there", async () => {
  await serve();
  const { status, body } = await send({ method: "GET", path: "/v1/openapi.json", headers: {} });
  expect(status).toBe(200);
  const document = JSON.parse(body);
  expect(document).toEqual(JSON.parse(JSON.stringify(openApiDocument("1.2.3"))));
  expect(Object.keys(document.paths).sort()).toEqual(
    [...Object.keys(procedures).map((name) => `/v1/${name}`), "/v1/events", "/v1/vm.console", "/v1/vm.logs"].sort(),
  );
  for (const [, ref = ""] of body.matchAll(/"\$ref":"([^"]*)"/g)) {
    const found = ref
      .slice(2)
      .split("/")
      .reduce((at, part) => at?.[part], document);
    expect({ ref, found: found !== undefined }).toEqual({ ref, found: true });
  }
});

test("the OpenAPI document has defaults in what is asked, and none in answers", () => {
  const { paths } = JSON.parse(JSON.stringify(openApiDocument("1.2.3")));
  expect(defaultsIn(paths["/v1/vm.update"].post.requestBody)).toBeGreaterThan(0);
  for (const name of Object.keys(procedures))
    expect([name, defaultsIn(paths[`/v1/${name}`].post.responses[200])]).toEqual([name, 0]);
});

/** How many schemas within have one. No field of an answer is named so. */
function defaultsIn(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  const within = Object.values(value).reduce<number>((sum, part) => sum + defaultsIn(part), 0);
  return within + (Object.hasOwn(value, "default") ? 1 : 0);
}
