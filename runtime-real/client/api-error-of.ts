/** The error in an answer over HTTP that is not 200. */
import type { IncomingMessage } from "node:http";
import { API_ERRORS, ApiError, type ApiErrorCode } from "../errors/index.ts";

export function apiErrorOf(text: string, response: IncomingMessage): ApiError {
  const requestId = response.headers["x-request-id"];
  const id = typeof requestId === "string" ? requestId : null;
  try {
    const body: unknown = JSON.parse(text);
    if (
      typeof body === "object" &&
      body !== null &&
      "error" in body &&
      typeof body.error === "object" &&
      body.error !== null
    ) {
      const fields = new Map<string, unknown>(Object.entries(body.error));
      const code = String(fields.get("code"));
      const details = fields.get("details");
      if (isErrorCode(code))
        return new ApiError(
          code,
          String(fields.get("message")),
          String(fields.get("hint")),
          typeof details === "object" && details !== null ? { ...details } : {},
          id,
        );
    }
  } catch {
    // Said below.
  }
  return new ApiError(
    "internal",
    `an answer that is none of blixard's (HTTP ${response.statusCode})`,
    "does a blixard node listen there?",
    {},
    id,
  );
}

function isErrorCode(code: string): code is ApiErrorCode {
  return Object.hasOwn(API_ERRORS, code);
}
