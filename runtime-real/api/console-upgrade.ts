/**
 * Consoles over HTTP: `GET /v1/vm.logs` and `GET /v1/vm.console` with `Upgrade: blixard-console`. After the answer 101
 * the connection carries the frames of console-protocol/protocol.ts both ways.
 */
import { type IncomingMessage, type Server, STATUS_CODES } from "node:http";
import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Logger } from "pino";
import { z } from "zod";
import { CONSOLE_UPGRADE, type ConsoleView, FRAME_KIND, isOutput } from "../console-protocol/index.ts";
import type { LineListener, OpenConsole } from "../consoles/index.ts";
import { API_ERRORS, ApiError } from "../errors/index.ts";
import { FrameReader, joinFrames } from "../frames/index.ts";
import { admit, type Identify, requestIdOf } from "./admission.ts";
import type { ConsoleSource } from "./console-source.ts";
import { invalidRequest } from "./dispatch.ts";
import { errorBody } from "./error-body.ts";
import { label } from "./schemas.ts";
import { demandRoom, type Streams } from "./streams.ts";

/** What a client may send in one frame. */
const CLIENT_FRAME_BYTES_MAX = 8 * 1024;
/** What is typed and waits for the host. While it is more, the client waits. */
const TYPED_BACKLOG_BYTES = 64 * 1024;
const BACKLOG_LOOK_MS = 20;
const KEEP_ALIVE_MS = 15_000;

export interface ConsoleUpgradeParts {
  readonly consoles: ConsoleSource;
  readonly log: Logger;
  readonly stopping: AbortSignal;
  readonly streams: Streams;
  readonly identify: Identify;
}

/** Any other upgrade is not taken, and its request is served as if it had not asked. */
export function asksForConsole({ headers }: IncomingMessage): boolean {
  return headers.upgrade === CONSOLE_UPGRADE;
}

export function serveConsoles(server: Server, parts: ConsoleUpgradeParts): void {
  server.on("upgrade", (incoming, socket) => void serve(parts, incoming, socket));
}

async function serve(parts: ConsoleUpgradeParts, incoming: IncomingMessage, socket: Duplex): Promise<void> {
  const { consoles, stopping, streams, identify } = parts;
  const requestId = requestIdOf(singleOf(incoming.headers["x-request-id"]));
  const log = parts.log.child({ requestId });
  socket.on("error", () => undefined);
  // The client may end its half of the connection alone.
  socket.once("end", () => socket.destroy());
  const stop = (): void => void socket.destroy();
  try {
    const caller = admit(incoming.headers.authorization, identify, stopping);
    const { name, view } = askedIn(incoming.url ?? "");
    demandRoom(streams);
    streams.open++;
    stopping.addEventListener("abort", stop);
    socket.once("close", () => {
      streams.open--;
      stopping.removeEventListener("abort", stop);
    });
    const client = new ConsoleClient(socket, requestId);
    client.opened(await consoles.open(name, view, client));
    log.info({ caller, vm: name, view }, view.kind === "console" ? "a console was opened" : "logs were opened");
  } catch (error) {
    if (!(error instanceof ApiError)) log.error({ err: error }, "a console could not be shown");
    const known =
      error instanceof ApiError
        ? error
        : new ApiError("internal", "the node failed to answer", "its log says more under this request id");
    const body = JSON.stringify(errorBody(known, requestId));
    socket.end(
      headOf(API_ERRORS[known.code], {
        "content-type": "application/json",
        "content-length": `${Buffer.byteLength(body)}`,
        connection: "close",
        "x-request-id": requestId,
      }) + body,
    );
  }
}

const queries = {
  "/v1/vm.console": z
    .strictObject({ name: label })
    .transform(({ name }): Asked => ({ name, view: { kind: "console" } })),
  "/v1/vm.logs": z
    .strictObject({
      name: label,
      lines: z.stringFormat("count", /^\d{1,9}$/).optional(),
      previous: z.stringbool().default(false),
      follow: z.stringbool().default(false),
    })
    .transform(
      ({ name, lines, previous, follow }): Asked => ({
        name,
        view: { kind: "logs", linesMax: lines === undefined ? null : Number(lines), previous, follow },
      }),
    ),
} as const;

interface Asked {
  readonly name: string;
  readonly view: ConsoleView;
}

/** @throws ApiError */
function askedIn(path: string): Asked {
  const url = URL.parse(`http://node${path}`);
  const query = Object.entries(queries).find(([known]) => known === url?.pathname)?.[1];
  if (url === null || query === undefined)
    throw new ApiError(
      "unknownProcedure",
      `there is no console at ${path.slice(0, 128)}`,
      `there are ${Object.keys(queries).join(" and ")}`,
    );
  const parsed = query.safeParse(Object.fromEntries(url.searchParams));
  if (!parsed.success) throw invalidRequest(parsed.error);
  return parsed.data;
}

/** The client of a console, from the answer 101 on. */
class ConsoleClient implements LineListener {
  readonly #socket: Duplex;
  readonly #requestId: string;
  #console: OpenConsole | null = null;
  /** Frames that were written to the connection, and of which the host does not know that there is room for others. */
  #owed = 0;

  constructor(socket: Duplex, requestId: string) {
    this.#socket = socket;
    this.#requestId = requestId;
    socket.on("drain", () => this.#pay());
    socket.once("close", () => this.#console?.close());
  }

  opened(console: OpenConsole): void {
    this.#console = console;
    if (this.#socket.destroyed) {
      console.close();
      return;
    }
    if (this.#socket instanceof Socket) this.#socket.setNoDelay(true).setKeepAlive(true, KEEP_ALIVE_MS);
    const reader = new FrameReader(CLIENT_FRAME_BYTES_MAX, (frame) => {
      if (frame[0] === FRAME_KIND.typed) console.typed(frame);
    });
    this.#socket.on("data", (bytes: Buffer) => {
      try {
        reader.push(bytes);
      } catch {
        this.#socket.destroy();
      }
      if (console.backlogBytes > TYPED_BACKLOG_BYTES) this.#waitFor(console);
    });
    this.#pay();
  }

  frame(frame: Uint8Array): void {
    if (frame[0] === FRAME_KIND.opened)
      this.#socket.write(
        headOf(101, { connection: "Upgrade", upgrade: CONSOLE_UPGRADE, "x-request-id": this.#requestId }),
      );
    this.#socket.write(joinFrames([frame]));
    if (isOutput(frame)) this.#owed++;
    this.#pay();
  }

  closed(): void {
    this.#socket.end();
  }

  #pay(): void {
    if (this.#socket.writableNeedDrain || this.#console === null) return;
    for (; this.#owed > 0; this.#owed--) this.#console.more();
  }

  /** Until the host has taken what was typed. */
  #waitFor(console: OpenConsole): void {
    this.#socket.pause();
    const look = setInterval(() => {
      if (console.backlogBytes > TYPED_BACKLOG_BYTES && !this.#socket.destroyed) return;
      clearInterval(look);
      this.#socket.resume();
    }, BACKLOG_LOOK_MS);
  }
}

function headOf(status: number, headers: Readonly<Record<string, string>>): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\n${lines.join("\r\n")}\r\n\r\n`;
}

function singleOf(header: string | string[] | undefined): string | undefined {
  return typeof header === "string" ? header : undefined;
}
