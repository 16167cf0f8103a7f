/** Who may ask anything at all. Every request passes it, before anything else is looked at. */
import { randomUUID } from "node:crypto";
import { ApiError } from "../errors/index.ts";
import type { Caller } from "./call-context.ts";

/** The holder of a bearer token, or who may ask without one; null: nobody. */
export type Identify = (bearer: string | null) => Caller | null;

/** The id that the client has given the request, or else a new one. */
export function requestIdOf(given: string | undefined): string {
  return given !== undefined && /^[\w.-]{1,64}$/.test(given) ? given : randomUUID();
}

/** @param authorization the header. @throws ApiError */
export function admit(authorization: string | undefined, identify: Identify, stopping: AbortSignal): Caller {
  const caller = identify(/^Bearer (\S{1,512})$/i.exec(authorization ?? "")?.[1] ?? null);
  if (caller === null)
    throw new ApiError(
      "unauthenticated",
      "this address asks for a token",
      "send `Authorization: Bearer TOKEN`; `blixard token create --purpose api` makes one",
    );
  if (stopping.aborted) throw new ApiError("stopping", "this node is stopping", "ask another node");
  return caller;
}
