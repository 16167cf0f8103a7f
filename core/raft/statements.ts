/**
 * The bytes that get signed and digested. Every statement names its purpose, the cluster and its incarnation, so that
 * no signature can be replayed as another or elsewhere.
 */
import type { RaftEnvironment } from "./environment.ts";
import type { Digest, EntryKind, NodeId } from "./records.ts";

/** Grows to the largest entry seen and is reused: the chain is computed for every entry on every node. */
let scratch = new Uint8Array(1024);

function room(bytes: number): void {
  if (scratch.length < bytes) scratch = new Uint8Array(bytes * 2);
}

function putAscii(text: string, at: number): number {
  for (let i = 0; i < text.length; i++) scratch[at + i] = text.charCodeAt(i);
  return at + text.length;
}

function putInteger(value: number, at: number): number {
  const high = Math.floor(value / 0x1_0000_0000);
  scratch[at] = high >>> 24;
  scratch[at + 1] = high >>> 16;
  scratch[at + 2] = high >>> 8;
  scratch[at + 3] = high;
  scratch[at + 4] = value >>> 24;
  scratch[at + 5] = value >>> 16;
  scratch[at + 6] = value >>> 8;
  scratch[at + 7] = value;
  return at + 8;
}

const KIND_CODE: Readonly<Record<EntryKind, number>> = { noop: 0, command: 1, configuration: 2 };

/**
 * Extends the hash chain by one entry. Fixed-width numbers and the previous chain's length come before the data, so
 * no two inputs give the same bytes.
 */
export function chainLink(
  environment: Pick<RaftEnvironment, "digest">,
  previous: Digest,
  index: number,
  term: number,
  kind: EntryKind,
  data: Uint8Array,
): Digest {
  room(18 + previous.length + data.length);
  scratch[0] = KIND_CODE[kind];
  scratch[1] = previous.length;
  let at = putInteger(index, 2);
  at = putInteger(term, at);
  at = putAscii(previous, at);
  scratch.set(data, at);
  return environment.digest(scratch.subarray(0, at + data.length));
}

/** The chain before the first entry. */
export const GENESIS_CHAIN: Digest = "genesis";

function statement(text: string): Uint8Array {
  room(text.length);
  return scratch.subarray(0, putAscii(text, 0));
}

/** What a voter signs when it grants a vote or a pre-vote. */
export function voteStatement(
  clusterId: string,
  incarnation: number,
  kind: "preVote" | "election",
  term: number,
  candidate: NodeId,
): Uint8Array {
  return statement(`${kind} ${clusterId} ${incarnation} ${term} ${candidate}`);
}

/** What a leader signs when it asks `to` to take over in the term after `term`. */
export function transferStatement(clusterId: string, incarnation: number, term: number, to: NodeId): Uint8Array {
  return statement(`transfer ${clusterId} ${incarnation} ${term} ${to}`);
}

/** What a member signs once a joint configuration is durable on it. */
export function endorsementStatement(
  clusterId: string,
  incarnation: number,
  jointIndex: number,
  jointTerm: number,
  configurationDigest: Digest,
): Uint8Array {
  return statement(`endorse ${clusterId} ${incarnation} ${jointIndex} ${jointTerm} ${configurationDigest}`);
}

/** One digest for a snapshot out of those of its chunks, in order. */
export function snapshotDigest(environment: Pick<RaftEnvironment, "digest">, chunks: readonly Uint8Array[]): Digest {
  return environment.digest(statement(chunks.map((chunk) => `${chunk.length}:${environment.digest(chunk)}`).join(" ")));
}
