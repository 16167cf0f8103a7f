/** Errors that more than one folder uses. Light: a command that only asks loads nothing else. */
export { API_ERRORS, ApiError, type ApiErrorBody, type ApiErrorCode } from "./api-error.ts";
export { NodeStartError } from "./node-start-error.ts";
export { RecordingError } from "./recording-error.ts";
