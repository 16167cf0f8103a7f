/** The hard state, for storage. */

import { openKind, seal } from "../../wire/index.ts";
import type { HardState } from "../types.ts";
import { KINDS } from "./kinds.ts";
import { packCertificate, readCertificate } from "./signatures.ts";

export function encodeHardState({ term, votedFor, proof }: HardState): Uint8Array {
  return seal([KINDS.hardState, term, votedFor, packCertificate(proof)]);
}

/** @throws InvalidFrame */
export function decodeHardState(bytes: Uint8Array): HardState {
  const reader = openKind(bytes, KINDS.hardState, "hardState", 3);
  const hardState: HardState = {
    term: reader.natural("hardState.term"),
    votedFor: reader.idOrNobody("hardState.votedFor"),
    proof: readCertificate(reader),
  };
  reader.finish();
  return hardState;
}
