/** Errors that several procedures may end with. Each says what happened and what to do about it. */
import { ApiError } from "../errors/index.ts";

export function vmNotFound(): ApiError {
  return new ApiError("vmNotFound", "there is no VM of this name", "`blixard vm list` shows what there is");
}

export function workerNotFound(workerId: number): ApiError {
  return new ApiError("workerNotFound", `there is no worker ${workerId}`, "`blixard worker list` shows what there is", {
    workerId,
  });
}

export function taskNotFound(): ApiError {
  return new ApiError("taskNotFound", "there is no task with this id", "`blixard task list` shows what there is");
}

export function poolNotFound(pool: string): ApiError {
  return new ApiError(
    "poolNotFound",
    `there is no address pool ${pool}`,
    "`blixard ip-pool list` shows what there is, `blixard ip-pool create` makes one",
    { pool },
  );
}

export function invalidField({ field: path, reason }: { readonly field: string; readonly reason: string }): ApiError {
  // The path that the core gives begins with the command, which a client does not know.
  const field = path.replace(/^command\./, "");
  return new ApiError("invalidRequest", `${field}: ${reason}`, "correct the field and send it again", {
    field,
    reason,
  });
}

/** The core has answered with a kind that does not belong to the request: a defect. */
export function unexpected(kind: string): ApiError {
  return new ApiError(
    "internal",
    `the core answered ${kind}`,
    "this is a defect of blixard: report it with the node's log",
  );
}
