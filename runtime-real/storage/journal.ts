/**
 * The journal is written in every transaction. It says how many transactions there were and which entries are stored,
 * so that missing ones are detected.
 */
import { crc32 } from "node:zlib";

export interface Journal {
  readonly commit: number;
  /** Both 0 when no entries are stored. */
  readonly firstIndex: number;
  readonly lastIndex: number;
  readonly hasHardState: boolean;
}

export function encodeJournal({ commit, firstIndex, lastIndex, hasHardState }: Journal): Buffer {
  const text = `${commit} ${firstIndex} ${lastIndex} ${hasHardState ? 1 : 0}`;
  return Buffer.from(`${text} ${crc32(text)}`);
}

/** Null when it is damaged. */
export function decodeJournal(bytes: Uint8Array): Journal | null {
  const match = /^((\d+) (\d+) (\d+) ([01])) (\d+)$/.exec(Buffer.from(bytes).toString("latin1"));
  if (match === null || crc32(match[1] ?? "") !== Number(match[6])) return null;
  const [commit = 0, firstIndex = 0, lastIndex = 0] = match.slice(2, 5).map(Number);
  return { commit, firstIndex, lastIndex, hasHardState: match[5] === "1" };
}
