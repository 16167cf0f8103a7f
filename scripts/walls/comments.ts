/** The length of comments. The formatter wraps code and leaves comments as they are. */
import { type Breach, breachAt, type Source } from "./source.ts";

/** As the formatter's. */
const COLUMNS = 120;

/** Folders whose comments are still to be wrapped. The list only shrinks. */
const unwrapped = [
  "core/agent/",
  "core/cluster/",
  "core/domain/",
  "core/node/",
  "core/orchestrator/",
  "core/scheduler/",
  "core/testing/",
];

export function commentBreaches(source: Source): Breach[] {
  const { path, text, comments } = source;
  if (unwrapped.some((folder) => path.startsWith(folder))) return [];
  return comments.flatMap(({ start, end }) => {
    const found: Breach[] = [];
    let lineStart = text.lastIndexOf("\n", start - 1) + 1;
    while (lineStart < end) {
      const next = text.indexOf("\n", lineStart);
      const lineEnd = Math.min(end, next === -1 ? text.length : next);
      if (lineEnd - lineStart > COLUMNS)
        found.push(breachAt(source, Math.max(start, lineStart), `a comment goes beyond column ${COLUMNS}`));
      if (next === -1) break;
      lineStart = next + 1;
    }
    return found;
  });
}
