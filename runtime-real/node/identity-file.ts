/** The identity that a data directory holds, and what becomes of it when a join is refused. */
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { NodeStartError } from "../errors/index.ts";
import { Identity, IdentityError } from "../identity/index.ts";
import { JoinRefused } from "../join/index.ts";
import { InvalidToken } from "../tokens/index.ts";

export const IDENTITY_FILE = "identity.key";

export function hasIdentity(dataDir: string): boolean {
  return existsSync(join(dataDir, IDENTITY_FILE));
}

/** @throws NodeStartError */
export function loadIdentity(dataDir: string): Identity {
  try {
    return Identity.load(join(dataDir, IDENTITY_FILE));
  } catch (error) {
    if (error instanceof IdentityError)
      throw new NodeStartError(
        error.message,
        "without its key a node cannot prove who it is: restore the file, or join again under a new id",
      );
    throw error;
  }
}

/**
 * The identity to join with. It is durable before anybody sees it: if the answer is lost, or this process dies, the
 * same request is made again by the same identity.
 *
 * @throws NodeStartError
 */
export async function identityToJoinWith(dataDir: string): Promise<Identity> {
  return hasIdentity(dataDir) ? loadIdentity(dataDir) : await newIdentity(dataDir);
}

/** Durable when it resolves. */
export async function newIdentity(dataDir: string): Promise<Identity> {
  const identity = await Identity.generate();
  identity.save(join(dataDir, IDENTITY_FILE));
  return identity;
}

/**
 * What a join has failed with, as the error of a start. A refusal leaves nothing behind: an identity that was made for
 * this join is removed, unless the cluster may know it already (`notNow`).
 */
export function joinFailed(dataDir: string, hadIdentity: boolean, error: unknown): unknown {
  if (!(error instanceof JoinRefused || error instanceof InvalidToken)) return error;
  const isFinal = error instanceof InvalidToken || error.kind !== "notNow";
  if (isFinal && !hadIdentity) rmSync(join(dataDir, IDENTITY_FILE), { force: true });
  return new NodeStartError(`cannot join: ${error.message}`, joinHint(error));
}

/** What to do about a join that was refused. */
export function joinHint(error: InvalidToken | JoinRefused): string {
  if (error instanceof InvalidToken) return "copy the token that `blixard token create` printed";
  if (error.kind === "notNow") return "nothing is lost: run the same command again";
  if (error.kind === "idTaken" || error.kind === "identityTaken")
    return "choose another --id, with an empty --data-dir";
  return "correct it and run the same command again; nothing was changed here";
}
