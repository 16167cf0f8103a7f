/** Log entries: inside appends, and on their own for storage. */

import { InvalidFrame, openKind, type Packed, type Reader, seal } from "../../wire/index.ts";
import { LIMITS } from "../limits.ts";
import type { Entry, EntryKind } from "../types.ts";
import { KINDS } from "./kinds.ts";

const FIELDS = 5;
const entryKinds: readonly EntryKind[] = ["noop", "command", "configuration"];

/** One entry for storage. @throws InvalidFrame naming "frame" when its data alone is longer than a frame may be. */
export function encodeEntry({ index, term, kind, data, chain }: Entry): Uint8Array {
  return seal([KINDS.entry, index, term, entryKinds.indexOf(kind), data, chain]);
}

/** One entry from storage. `data` has memory of its own. @throws InvalidFrame */
export function decodeEntry(bytes: Uint8Array): Entry {
  const reader = openKind(bytes, KINDS.entry, "entry", FIELDS);
  const entry = readFields(reader);
  reader.finish();
  return entry;
}

export function packEntries(entries: readonly Entry[]): Packed {
  return entries.map(({ index, term, kind, data, chain }) => [index, term, entryKinds.indexOf(kind), data, chain]);
}

/** Consecutive entries, the first one right after `previousIndex`; at most `LIMITS.entriesPerAppend`. */
export function readEntries(reader: Reader, previousIndex: number): Entry[] {
  const entries: Entry[] = [];
  let previous = previousIndex;
  for (let left = reader.list("entries", LIMITS.entriesPerAppend); left > 0; left--) {
    reader.tuple("entry", FIELDS);
    const entry = readFields(reader);
    if (entry.index !== previous + 1)
      throw new InvalidFrame("entry.index", `${entry.index} after ${previous}: entries must be consecutive`);
    previous = entry.index;
    entries.push(entry);
  }
  return entries;
}

function readFields(reader: Reader): Entry {
  return {
    index: reader.natural("entry.index"),
    term: reader.natural("entry.term"),
    kind: reader.choice("entry.kind", entryKinds),
    data: reader.binary("entry.data", LIMITS.entryBytes),
    chain: reader.text("entry.chain", LIMITS.digestLength),
  };
}
