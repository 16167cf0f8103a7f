/**
 * Simulated cryptography: a cheap stand-in for SHA-256 and Ed25519. To the core it keeps the same promises, as long as
 * nobody inverts the hash. What a Byzantine peer may do is limited by what it holds, its own signer, not by the
 * strength of the hash.
 *
 * A digest has 64 bits. Two given inputs collide once in 1.8 × 10^19, any two of a run's million entries once in 4 ×
 * 10^7 runs. Among 10^9 entries of all runs together some pair collides with a chance of 3 %, but a collision only
 * matters between two contents for one index of one run.
 */
import type { Digest, PeerId, Signature } from "../../core/index.ts";
import type { Streams } from "../random/index.ts";

/** One peer's own identity: who holds it can sign as that peer. */
export interface Identity {
  readonly peerId: PeerId;
  /** The bytes are not kept. */
  sign(statement: Uint8Array): Signature;
}

interface Secret {
  readonly a: number;
  readonly b: number;
}

/** All peers' identities. Secrets never leave it: it signs only through the `Identity` that it issues once. */
export class Identities {
  readonly #streams: Streams;
  readonly #secrets = new Map<PeerId, Secret>();

  constructor(streams: Streams) {
    this.#streams = streams;
  }

  /**
   * The identity of the member number `life` on host number `host`, both from 0: a new member begins when the disk is
   * lost. Issued once: a second request for the same one throws, because only the peer itself may hold it.
   */
  issue(host: number, life: number): Identity {
    const peerId = `peer-${host}-${life}`;
    if (this.#secrets.has(peerId)) throw new Error(`the identity ${peerId} has been issued before`);
    const stream = this.#streams.stream(`identity/${peerId}`);
    const secret: Secret = { a: stream.nextUint32() | 0, b: stream.nextUint32() | 0 };
    this.#secrets.set(peerId, secret);
    return { peerId, sign: (statement) => keyedDigest(statement, secret.a, secret.b) };
  }

  /** Whether `signature` is `signer`'s over `statement`. False for a signer that was never issued. */
  verify(signer: PeerId, statement: Uint8Array, signature: Signature): boolean {
    const secret = this.#secrets.get(signer);
    return secret !== undefined && keyedDigest(statement, secret.a, secret.b) === signature;
  }
}

/** Eleven printable ASCII characters that stand for the bytes. */
export function digest(bytes: Uint8Array): Digest {
  return keyedDigest(bytes, 0x243f6a88, 0x85a308d3);
}

/** The alphabet of base64url, as character codes. */
const ALPHABET = Uint8Array.from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", (c) =>
  c.charCodeAt(0),
);

/**
 * Bytes are copied here first: one view that is kept reads words twice as fast as joining bytes, or as a view made for
 * each call.
 */
let scratch = new Uint8Array(4096);
let words = new DataView(scratch.buffer);

/**
 * Two lanes of 32 bits, as in MurmurHash3: eight bytes a round, each half into a lane of its own, then each lane added
 * to the other. A round is invertible in the state and injective in the bytes, so inputs of one length that differ in
 * one round alone never collide.
 */
function keyedDigest(bytes: Uint8Array, keyA: number, keyB: number): string {
  const length = bytes.length;
  const paddedLength = (length + 7) & ~7;
  if (paddedLength > scratch.length) {
    scratch = new Uint8Array(2 * paddedLength);
    words = new DataView(scratch.buffer);
  }
  scratch.set(bytes);
  for (let at = length; at < paddedLength; at += 1) scratch[at] = 0;
  // The length distinguishes inputs that the padding makes equal.
  let a = keyA ^ length;
  let b = keyB;
  for (let at = 0; at < paddedLength; at += 8) {
    a = mixA(a, words.getInt32(at, true)) + b;
    a = (Math.imul(a, 5) + 0x561ccd1b) | 0;
    b = mixB(b, words.getInt32(at + 4, true)) + a;
    b = (Math.imul(b, 5) + 0x0bcaa747) | 0;
  }
  a = finish((a + b) | 0);
  b = finish((b + a) | 0);
  return text((a + b) | 0, b);
}

function mixA(lane: number, bits: number): number {
  let k = Math.imul(bits, 0x239b961b);
  k = Math.imul((k << 15) | (k >>> 17), 0xab0e9789);
  const h = lane ^ k;
  return (h << 19) | (h >>> 13);
}

function mixB(lane: number, bits: number): number {
  let k = Math.imul(bits, 0x38b34ae5);
  k = Math.imul((k << 16) | (k >>> 16), 0xa1e38b93);
  const h = lane ^ k;
  return (h << 17) | (h >>> 15);
}

/** MurmurHash3's finaliser: every bit reaches every bit. */
function finish(lane: number): number {
  let h = lane ^ (lane >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/** 64 bits, six a character. One call is twice as fast as joining pieces. */
function text(a: number, b: number): string {
  return String.fromCharCode(
    ALPHABET[a & 63] ?? 0,
    ALPHABET[(a >>> 6) & 63] ?? 0,
    ALPHABET[(a >>> 12) & 63] ?? 0,
    ALPHABET[(a >>> 18) & 63] ?? 0,
    ALPHABET[(a >>> 24) & 63] ?? 0,
    ALPHABET[(a >>> 30) | ((b << 2) & 60)] ?? 0,
    ALPHABET[(b >>> 4) & 63] ?? 0,
    ALPHABET[(b >>> 10) & 63] ?? 0,
    ALPHABET[(b >>> 16) & 63] ?? 0,
    ALPHABET[(b >>> 22) & 63] ?? 0,
    ALPHABET[b >>> 28] ?? 0,
  );
}
