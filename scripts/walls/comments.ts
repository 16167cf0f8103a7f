/** The length of comments. The formatter wraps code and leaves comments as they are. */
import { type Breach, breachAt, type Source } from "./source.ts";

/** As the formatter's. */
const COLUMNS = 120;

export function commentBreaches(source: Source): Breach[] {
  const { text, comments } = source;
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
