/** Signatures and digests for tests: FNV-1a in two lanes. Whoever knows a name can sign for it: tests of liars do. */
import type { Digest } from "../index.ts";

export function keyedDigest(key: string, bytes: Uint8Array): Digest {
  let a = 0x811c9dc5;
  let b = 0x1b873593;
  const mix = (byte: number): void => {
    a = Math.imul(a ^ byte, 0x01000193);
    b = Math.imul(b ^ byte ^ (a >>> 24), 0x85ebca6b);
  };
  for (let at = 0; at < key.length; at++) mix(key.charCodeAt(at));
  for (const byte of bytes) mix(byte);
  return (a >>> 0).toString(16).padStart(8, "0") + (b >>> 0).toString(16).padStart(8, "0");
}
