/**
 * The identity of a node: an Ed25519 key in the data directory that only its owner can read. The key authenticates
 * connections (libp2p) and signs the statements of the core. A peer id is the public key as text, so the peer id of
 * the signer is all that is needed to check a signature.
 */
import { createPrivateKey, createPublicKey, hash, type KeyObject, sign, verify } from "node:crypto";
import { closeSync, fsyncSync, linkSync, openSync, readFileSync, rmSync, statSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { generateKeyPair, privateKeyFromProtobuf, privateKeyToProtobuf } from "@libp2p/crypto/keys";
import type { Ed25519PrivateKey } from "@libp2p/interface";
import { peerIdFromPrivateKey, peerIdFromString } from "@libp2p/peer-id";
import type { Digest, PeerId, Signature } from "../../core/index.ts";
import { makeDurable } from "../files/index.ts";

/**
 * The key file is missing, cannot be read, can be read by others, or holds no Ed25519 key. The message says what to
 * do.
 */
export class IdentityError extends Error {
  override readonly name = "IdentityError";
  readonly path: string;

  constructor(path: string, message: string) {
    super(`${path}: ${message}`);
    this.path = path;
  }
}

export class Identity {
  readonly peerId: PeerId;
  /** For libp2p. */
  readonly privateKey: Ed25519PrivateKey;
  readonly #key: KeyObject;

  private constructor(privateKey: Ed25519PrivateKey) {
    this.privateKey = privateKey;
    this.peerId = peerIdFromPrivateKey(privateKey).toString();
    // The raw form of libp2p is the 32-byte seed followed by the public key.
    const raw = Buffer.from(privateKey.raw);
    this.#key = createPrivateKey({
      format: "jwk",
      key: {
        kty: "OKP",
        crv: "Ed25519",
        d: raw.subarray(0, 32).toString("base64url"),
        x: raw.subarray(32, 64).toString("base64url"),
      },
    });
  }

  static async generate(): Promise<Identity> {
    return new Identity(await generateKeyPair("Ed25519"));
  }

  /** @throws IdentityError */
  static load(path: string): Identity {
    let bytes: Buffer;
    try {
      const { mode } = statSync(path);
      if ((mode & 0o077) !== 0)
        throw new IdentityError(
          path,
          `others may read this private key (mode ${(mode & 0o777).toString(8)}): chmod 600`,
        );
      bytes = readFileSync(path);
    } catch (error) {
      if (error instanceof IdentityError) throw error;
      throw new IdentityError(path, `cannot be read: ${error instanceof Error ? error.message : String(error)}`);
    }
    try {
      const key = privateKeyFromProtobuf(bytes);
      if (key.type === "Ed25519") return new Identity(key);
    } catch {
      // Reported below.
    }
    throw new IdentityError(
      path,
      "holds no Ed25519 private key: restore it from a backup, or join again under a new node id",
    );
  }

  /**
   * Durable when it returns. Never replaces a key that is there, because the cluster trusts that one identity is one
   * node.
   *
   * @throws when there is a key
   */
  save(path: string): void {
    const unfinished = `${path}.${process.pid}.tmp`;
    const file = openSync(unfinished, "wx", 0o600);
    try {
      try {
        writeSync(file, privateKeyToProtobuf(this.privateKey));
        fsyncSync(file);
      } finally {
        closeSync(file);
      }
      linkSync(unfinished, path);
    } finally {
      rmSync(unfinished, { force: true });
    }
    makeDurable(dirname(path));
  }

  sign(statement: Uint8Array): Signature {
    return sign(null, statement, this.#key).toString("base64url");
  }
}

/**
 * Public keys by peer id; null: the text names no Ed25519 key. The map is cleared when it is full; a cluster has fewer
 * peers than it holds.
 */
const publicKeys = new Map<PeerId, KeyObject | null>();
const PUBLIC_KEYS_MAX = 4096;

/** Whether `signature` is that of `signer` over `statement`. Never throws, whatever the strings hold. */
export function verifySignature(signer: PeerId, statement: Uint8Array, signature: Signature): boolean {
  const key = publicKeyOf(signer);
  if (key === null) return false;
  const bytes = Buffer.from(signature, "base64url");
  // The decoder of Node.js skips characters that are no base64url, but a signature must have only one text form.
  if (bytes.length !== 64 || bytes.toString("base64url") !== signature) return false;
  return verify(null, statement, key, bytes);
}

function publicKeyOf(peerId: PeerId): KeyObject | null {
  const known = publicKeys.get(peerId);
  if (known !== undefined) return known;
  if (publicKeys.size >= PUBLIC_KEYS_MAX) publicKeys.clear();
  const key = parsePublicKey(peerId);
  publicKeys.set(peerId, key);
  return key;
}

function parsePublicKey(text: PeerId): KeyObject | null {
  try {
    const peerId = peerIdFromString(text);
    if (peerId.type !== "Ed25519" || peerId.toString() !== text) return null;
    const x = Buffer.from(peerId.publicKey.raw).toString("base64url");
    return createPublicKey({ format: "jwk", key: { kty: "OKP", crv: "Ed25519", x } });
  } catch {
    return null;
  }
}

/** SHA-256 in base64url: 43 characters. */
export function sha256(bytes: Uint8Array): Digest {
  return hash("sha256", bytes, "base64url");
}
