/** The JSON body of an HTTP request, up to a limit. */
import type { IncomingMessage } from "node:http";
import type { Context } from "hono";
import { ApiError } from "../errors/index.ts";
import type { Environment } from "./http-call.ts";

const BODY_BYTES_MAX = 1024 * 1024;

/** @throws ApiError */
export async function readBody(context: Context<Environment>): Promise<unknown> {
  const announced = Number(context.req.header("content-length") ?? Number.NaN);
  if (announced > BODY_BYTES_MAX) throw tooLarge(announced);
  const type = context.req.header("content-type") ?? "";
  if (!/^application\/json\b/i.test(type))
    throw new ApiError("invalidRequest", "content-type: must be application/json", "send JSON, and say so", {
      field: "content-type",
    });
  const text = await textOf(context.env.incoming);
  try {
    return JSON.parse(text);
  } catch {
    throw new ApiError("invalidRequest", "request: is no JSON", "correct it and send it again", { field: "request" });
  }
}

/** Straight from the connection: the web's `Request` would cost more than the rest of the call. */
function textOf(incoming: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    incoming.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size <= BODY_BYTES_MAX) chunks.push(chunk);
      else {
        chunks.length = 0;
        reject(tooLarge(size));
      }
    });
    incoming.once("end", () =>
      resolve(chunks.length === 1 ? String(chunks[0]) : Buffer.concat(chunks).toString("utf8")),
    );
    incoming.once("error", reject);
    incoming.once("close", () => {
      if (incoming.complete) return;
      reject(new ApiError("invalidRequest", "request: the connection ended before it was whole", "send it again"));
    });
  });
}

function tooLarge(sizeBytes: number): ApiError {
  return new ApiError(
    "requestTooLarge",
    `the body has ${sizeBytes} bytes or more, the limit is ${BODY_BYTES_MAX}`,
    "make it smaller",
    { sizeBytes, limitBytes: BODY_BYTES_MAX },
  );
}
