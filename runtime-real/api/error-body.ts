import type { ApiError, ApiErrorBody } from "../errors/index.ts";

/** What an answer over HTTP says that is not 200. */
export function errorBody(
  { code, message, hint, details }: ApiError,
  requestId: string,
): { readonly error: ApiErrorBody & { readonly requestId: string } } {
  return { error: { code, message, hint, details, requestId } };
}
