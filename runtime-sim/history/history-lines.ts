/**
 * The lines of a history in a file, whatever its form: one JSON object each, and what is wrong with one that cannot be
 * read.
 */

export interface HistoryLimits {
  /** In UTF-16 code units. */
  readonly lineLengthMax: number;
  /** Lines that are not skipped. */
  readonly eventsMax: number;
}

/** A line may carry a whole answer, such as a page of events. */
export const DEFAULT_HISTORY_LIMITS: HistoryLimits = { lineLengthMax: 2 ** 24, eventsMax: 2_000_000 };

/** What is wrong with a line: its JSON, one field, its place among the lines before it, or its size. */
export type HistoryErrorKind = "syntax" | "field" | "order" | "limit";

/** A history that cannot be read. */
export class HistoryError extends Error {
  override readonly name = "HistoryError";
  readonly kind: HistoryErrorKind;
  /** Counted from 1. */
  readonly line: number;
  /** The field at fault, for kind "field" and "order". A field in a field is `output.generation`. */
  readonly field: string | null;
  /** The limit that was exceeded, for kind "limit". */
  readonly limit: number | null;

  constructor(
    kind: HistoryErrorKind,
    line: number,
    message: string,
    details: { readonly field?: string; readonly limit?: number } = {},
  ) {
    super(`line ${line}: ${message}`);
    this.kind = kind;
    this.line = line;
    this.field = details.field ?? null;
    this.limit = details.limit ?? null;
  }
}

/** The fields of one line. */
export type Fields = Readonly<Record<string, unknown>>;

export interface EventLine {
  /** Counted from 1. */
  readonly line: number;
  readonly fields: Fields;
}

/** All lines but the empty ones and those that `isSkipped`, as they are consumed. */
export function* eventLines(
  lines: Iterable<string>,
  { lineLengthMax, eventsMax }: HistoryLimits,
  isSkipped: (fields: Fields) => boolean,
): Generator<EventLine, void, undefined> {
  let line = 0;
  let events = 0;
  for (const text of lines) {
    line += 1;
    if (text.length > lineLengthMax) {
      throw new HistoryError("limit", line, `has ${text.length} characters, the limit is ${lineLengthMax}`, {
        limit: lineLengthMax,
      });
    }
    if (text.trim() === "") continue;
    const fields = fieldsOf(text, line);
    if (isSkipped(fields)) continue;
    events += 1;
    if (events > eventsMax) {
      throw new HistoryError("limit", line, `the history has more than ${eventsMax} events`, { limit: eventsMax });
    }
    yield { line, fields };
  }
}

function fieldsOf(text: string, line: number): Fields {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw new HistoryError("syntax", line, `is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (!isFields(parsed)) throw new HistoryError("syntax", line, `must be one JSON object, is ${show(parsed)}`);
  return parsed;
}

export function orderError(line: number, message: string, field: string): HistoryError {
  return new HistoryError("order", line, message, { field });
}

export function fieldError(line: number, field: string, expected: string, found: unknown): HistoryError {
  return new HistoryError("field", line, `field "${field}" must be ${expected}, is ${show(found)}`, { field });
}

/** A value in a message: short, whatever it is. */
function show(value: unknown): string {
  if (value === undefined) return "missing";
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function isProcess(value: unknown): value is number | string {
  return typeof value === "string" || Number.isSafeInteger(value);
}

export function isOneOf<T extends string>(value: unknown, choices: readonly T[]): value is T {
  return choices.some((choice) => choice === value);
}
