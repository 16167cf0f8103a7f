/**
 * Tokens as text: `blx.ID.SECRET` for the API, `blx.ID.SECRET.PINS` for joining. The client that asks for a token
 * makes the secret. The secret never reaches the cluster, which knows only its SHA-256. The pins are hashes of the
 * cluster id and of its voters, so that a joining node shows the secret to nobody else.
 */
import { hash, randomBytes } from "node:crypto";
import type { PeerId } from "../../core/index.ts";

/** A token before the cluster knows it. */
export interface NewToken {
  readonly id: string;
  readonly secret: string;
  readonly secretHash: string;
}

export interface TokenText {
  readonly id: string;
  readonly secret: string;
  /** Null: it is a token for the API. */
  readonly pins: TokenPins | null;
}

export interface TokenPins {
  isCluster(clusterId: string): boolean;
  isVoter(peerId: PeerId): boolean;
}

/** The text is no token, or not a token for this purpose. */
export class InvalidToken extends Error {
  override readonly name = "InvalidToken";
}

const PREFIX = "blx";
const PIN_BYTES = 12;
const SECRET_BYTES = 32;
const VOTERS_MAX = 7;

export function makeToken(): NewToken {
  const secret = randomBytes(SECRET_BYTES).toString("base64url");
  return { id: randomBytes(8).toString("hex"), secret, secretHash: hashSecret(secret) };
}

export function hashSecret(secret: string): string {
  return hash("sha256", secret, "hex");
}

export function formatApiToken({ id, secret }: NewToken): string {
  return [PREFIX, id, secret].join(".");
}

export function formatJoinToken({ id, secret }: NewToken, clusterId: string, voters: readonly PeerId[]): string {
  const pins = Buffer.concat([pinOf(clusterId), ...voters.slice(0, VOTERS_MAX).map(pinOf)]);
  return [PREFIX, id, secret, pins.toString("base64url")].join(".");
}

/** @throws InvalidToken */
export function parseToken(text: string): TokenText {
  const [prefix, id = "", secret = "", pinsText, ...rest] = text.trim().split(".");
  if (prefix !== PREFIX || rest.length > 0 || !/^[a-z0-9]{8,32}$/.test(id) || !/^[\w-]{43}$/.test(secret))
    throw new InvalidToken("this is no blixard token: it begins with blx. and comes whole from `blixard token create`");
  if (pinsText === undefined) return { id, secret, pins: null };
  const pins = parsePins(pinsText);
  if (pins === null) throw new InvalidToken("the end of this token is missing: copy it whole");
  return { id, secret, pins };
}

/** Reads the last part of a join token; null: the text is no such part. */
export function parsePins(text: string): TokenPins | null {
  const bytes = Buffer.from(text, "base64url");
  if (bytes.length < 2 * PIN_BYTES || bytes.length % PIN_BYTES !== 0 || bytes.length > (1 + VOTERS_MAX) * PIN_BYTES)
    return null;
  const pins: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += PIN_BYTES) pins.push(bytes.subarray(at, at + PIN_BYTES));
  const [cluster, ...voters] = pins;
  return {
    isCluster: (clusterId) => cluster?.equals(pinOf(clusterId)) === true,
    isVoter: (peerId) => voters.some((pin) => pin.equals(pinOf(peerId))),
  };
}

/** 96 bits of the hash: to find another name with the same pin takes 2^96 tries. */
function pinOf(name: string): Buffer {
  return hash("sha256", name, "buffer").subarray(0, PIN_BYTES);
}
