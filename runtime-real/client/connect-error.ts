/** No node could be asked, or none has answered. */
export class ConnectError extends Error {
  override readonly name = "ConnectError";
  /** noNode: nothing listens there. lost: the connection ended without an answer. timedOut: no answer in time. */
  readonly kind: "noNode" | "lost" | "timedOut";
  readonly target: string;

  constructor(kind: ConnectError["kind"], target: string, message: string) {
    super(message);
    this.kind = kind;
    this.target = target;
  }
}

/** What a failed request to `target` means. Not a ConnectError when the caller has aborted it: then its own reason. */
export function connectErrorOf(error: unknown, target: string, signal: AbortSignal, timeoutMs: number): unknown {
  if (signal.aborted) {
    const reason: unknown = signal.reason;
    const isTimeout = reason instanceof DOMException && reason.name === "TimeoutError";
    if (isTimeout)
      return new ConnectError("timedOut", target, `no answer from ${target} within ${Math.round(timeoutMs)} ms`);
    return reason;
  }
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (["ENOENT", "ECONNREFUSED", "ENOTDIR", "EHOSTUNREACH", "ENETUNREACH", "ENOTFOUND", "ENOTSOCK"].includes(code))
    return new ConnectError("noNode", target, `no node answers at ${target} (${code})`);
  if (code === "EACCES" || code === "EPERM")
    return new ConnectError("noNode", target, `${target} may not be opened by this user (${code})`);
  return new ConnectError(
    "lost",
    target,
    `the connection to ${target} was lost: ${error instanceof Error ? error.message : String(error)}`,
  );
}
