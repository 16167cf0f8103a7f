import { z } from "zod";
import { FRAME_KIND, jsonOf } from "../console-protocol/index.ts";
import { API_ERRORS, ApiError, type ApiErrorCode } from "../errors/index.ts";

const isErrorCode = (code: string): code is ApiErrorCode => Object.hasOwn(API_ERRORS, code);

const refusedSchema = z.object({
  code: z.string().refine(isErrorCode),
  message: z.string().max(1024),
  hint: z.string().max(1024),
  details: z.record(z.string(), z.unknown()),
});

/** Null: the frame is no refusal. */
export function parseRefused(frame: Uint8Array): ApiError | null {
  const refused = frame[0] === FRAME_KIND.refused ? refusedSchema.safeParse(jsonOf(frame)).data : undefined;
  return refused === undefined ? null : new ApiError(refused.code, refused.message, refused.hint, refused.details);
}
