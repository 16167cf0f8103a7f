/** Why a host, or the node that looks for it, shows no console. */
import { ApiError } from "../errors/index.ts";

export function withoutDriver(workerId: number): ApiError {
  return new ApiError(
    "workerHasNoDriver",
    `worker ${workerId} runs no VMs: it has no driver`,
    "start its node with --vm-driver qemu",
    { workerId },
  );
}

export function machineNotFound(workerId: number, name: string): ApiError {
  return new ApiError(
    "machineNotFound",
    `worker ${workerId} has not built a machine for ${name} yet`,
    `\`blixard vm show ${name}\` says what it waits for`,
    { workerId },
  );
}

export function noEarlierRun(workerId: number, name: string): ApiError {
  return new ApiError(
    "noEarlierRun",
    `${name} has not run before on worker ${workerId}, or what it wrote is not kept`,
    "leave out --previous; what a VM wrote on another worker went with its machine there",
    { workerId },
  );
}

export function tooManyReaders(workerId: number, limit: number): ApiError {
  return new ApiError("tooManyPending", `worker ${workerId} shows ${limit} consoles already`, "close some of them", {
    workerId,
    limit,
  });
}

export function workerUnreachable(workerId: number): ApiError {
  return new ApiError(
    "workerUnreachable",
    `worker ${workerId}, which has the VM, cannot be reached`,
    "is its host up? `blixard worker list` shows how the cluster sees it",
    { workerId },
  );
}

export function unreadable(): ApiError {
  return new ApiError(
    "internal",
    "what another node says of a console cannot be read",
    "do all nodes run the same version?",
  );
}
