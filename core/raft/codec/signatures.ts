/** Lists of signatures by different members, and the certificates made of them. */

import { InvalidFrame, type Packed, type Reader } from "../../wire/index.ts";
import { LIMITS } from "../limits.ts";
import type { Certificate, MemberSignature } from "../types.ts";

const certificateKinds: readonly Certificate["kind"][] = ["preVote", "election"];

export function packSignatures(signatures: readonly MemberSignature[]): Packed {
  return signatures.map(({ id, signature }) => [id, signature]);
}

/** In the sender's order, each signer once. Nobody but voters signs, and a joint configuration has two sets of them. */
export function readSignatures(reader: Reader, field: string): MemberSignature[] {
  const signatures: MemberSignature[] = [];
  for (let left = reader.list(field, 2 * LIMITS.voters); left > 0; left--) {
    reader.tuple("signature", 2);
    const id = reader.id("signature.id");
    if (signatures.some((other) => other.id === id)) throw new InvalidFrame("signature.id", `${id} signed twice`);
    signatures.push({ id, signature: reader.text("signature.signature", LIMITS.signatureLength) });
  }
  return signatures;
}

export function packCertificate(certificate: Certificate | null): Packed | null {
  if (certificate === null) return null;
  const { kind, term, candidate, signatures } = certificate;
  return [certificateKinds.indexOf(kind), term, candidate, packSignatures(signatures)];
}

export function readCertificate(reader: Reader): Certificate | null {
  if (reader.nil()) return null;
  reader.tuple("certificate", 4);
  return {
    kind: reader.choice("certificate.kind", certificateKinds),
    term: reader.natural("certificate.term"),
    candidate: reader.id("certificate.candidate"),
    signatures: readSignatures(reader, "certificate.signatures"),
  };
}
