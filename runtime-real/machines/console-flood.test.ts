/**
 * A guest that writes as fast as it can, and a reader that stands still: from the files on its host to the client of
 * another node.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type ApiServer, handlersFor, startApi } from "../api/index.ts";
import { onlyMember, served } from "../api/testing/index.ts";
import { connectApi } from "../client/index.ts";
import { ConsoleHost, Consoles } from "../consoles/index.ts";
import type { Driver } from "../worker/index.ts";
import { ConsoleFile } from "./console-file.ts";
import { ConsoleFileReader } from "./console-reader.ts";

const LINE = `${"y".repeat(63)}\n`;
const PIECE = new TextEncoder().encode(LINE.repeat(1024));

let folder = "";
let server: ApiServer;
let file: ConsoleFile;
let reason: string | null = null;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "blixard-test-"));
  file = new ConsoleFile(folder);
  reason = null;
  const driver: Driver = {
    name: "files",
    features: [],
    listen: () => undefined,
    inventory: () => [],
    perform: () => undefined,
    fenceAt: () => undefined,
    console: () => ({
      epoch: 1,
      read: (linesMax) => new ConsoleFileReader(folder, linesMax),
      end: () => reason,
      type: () => undefined,
    }),
    close: () => undefined,
  };
  const consoles = new Consoles({
    workerId: 1,
    host: new ConsoleHost({ workerId: 1, driver: () => driver }),
    open: () => Promise.reject(new Error("there is no other node")),
    peerIdOf: () => null,
    patienceMs: 0,
    members: () => [],
  });
  server = await startApi({
    handlers: handlersFor(served(onlyMember(), () => Promise.reject(new Error("nothing is asked")))),
    events: { page: () => ({ events: [], complete: true, oldestIndex: null }), subscribe: () => () => undefined },
    consoles: { open: async (name, view, reader) => await consoles.open({ name, workerId: 1, view }, reader) },
    socketPath: join(folder, "api.sock"),
    tcpBind: null,
    authenticate: () => null,
    log: pino({ level: "silent" }),
    version: "test",
  });
});
afterEach(async () => {
  await server.stop(200);
  rmSync(folder, { recursive: true, force: true });
});

test("a reader that stands still loses the middle, is told so, and costs nobody memory", {
  timeout: 30_000,
}, async () => {
  const api = connectApi({ socketPath: join(folder, "api.sock") });
  const follow = { kind: "logs", previous: false, linesMax: null, follow: true } as const;
  file.add(new TextEncoder().encode("first\n"));
  const stream = await api.console("web", follow);
  const news = stream.news();
  let kept = "";
  let losses = 0;
  const take = async (): Promise<string> => {
    const { value } = await news.next();
    if (value?.kind === "lost") losses++;
    if (value?.kind === "output") kept += new TextDecoder().decode(value.bytes);
    return value?.kind ?? "closed";
  };
  while (!kept.startsWith("first\n")) await take();

  const before = process.memoryUsage().arrayBuffers;
  // 32 MiB, with turns for whoever would take more than there is room for.
  for (let n = 0; n < 512; n++) {
    file.add(PIECE);
    if (n % 8 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 * 1024 * 1024);

  file.add(new TextEncoder().encode("last\n"));
  reason = "the guest powered off";
  while ((await take()) !== "ended");
  expect(losses).toBeGreaterThan(0);
  expect(kept.endsWith("y\nlast\n")).toBe(true);
  expect(kept.length).toBeLessThan(4 * 1024 * 1024);
  await api.close();
});
