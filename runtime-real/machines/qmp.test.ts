import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Qmp } from "./qmp.ts";

let folder = "";
let server: Server | null = null;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "blixard-qmp-"));
});
afterEach(() => {
  server?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A monitor that answers as told; null: it never does. */
function monitor(answer: (command: string) => object | null): Promise<void> {
  server = createServer((socket: Socket) => {
    socket.write(`${JSON.stringify({ QMP: { version: {}, capabilities: [] } })}\n`);
    socket.on("error", () => undefined);
    socket.on("data", (bytes) => {
      for (const line of String(bytes).trim().split("\n")) {
        const { execute, id } = JSON.parse(line);
        const said = execute === "qmp_capabilities" ? { return: {} } : answer(execute);
        if (said !== null) socket.write(`${JSON.stringify({ ...said, id })}\n`);
      }
    });
  });
  return new Promise((resolve) => server?.listen(join(folder, "qmp.sock"), resolve));
}

async function open(onEvent: (name: string) => void = () => undefined, limitMs = 5000): Promise<Qmp> {
  return await Qmp.open(folder, "qmp.sock", onEvent, AbortSignal.timeout(limitMs));
}

test("waits for a monitor that comes later", async () => {
  const opened = open();
  await monitor(() => ({ return: { status: "running" } }));
  const qmp = await opened;
  expect(await qmp.execute("query-status", AbortSignal.timeout(5000))).toEqual({ status: "running" });
  qmp.close();
});

test("gives up at its limit when there is none", async () => {
  await expect(open(undefined, 50)).rejects.toThrow("does not answer");
});

test("a command that is refused, and one that is never answered, end with an error", async () => {
  await monitor((command) => (command === "quit" ? null : { error: { class: "GenericError", desc: "no such thing" } }));
  const qmp = await open();
  await expect(qmp.execute("nonsense", AbortSignal.timeout(5000))).rejects.toThrow("no such thing");
  await expect(qmp.execute("quit", AbortSignal.timeout(50))).rejects.toThrow("did not answer in time");
  qmp.close();
  await expect.poll(async () => await qmp.execute("quit", AbortSignal.timeout(50)).catch(String)).toContain("gone");
});
