/** Equality of plain values, such as a decoded copy and its original, or the same state computed by two nodes. */
import type { ApplyResult } from "../../core/index.ts";

/** The same answer as `isSame`, sooner for what is compared most. */
export function isSameResult(left: ApplyResult | null, right: ApplyResult | null): boolean {
  if (left === right) return true;
  if (left !== null && right !== null && left.ok && right.ok && "generation" in left && "generation" in right) {
    return left.kind === right.kind && left.generation === right.generation;
  }
  return isSame(left, right);
}

/**
 * Whether two values made of primitives, arrays, byte arrays, maps and plain objects are equal. Keys may come in any
 * order.
 */
export function isSame(left: unknown, right: unknown): boolean {
  if (Object.is(left, right)) return true;
  if (typeof left !== "object" || typeof right !== "object" || left === null || right === null) return false;
  if (isList(left) || isList(right)) {
    if (!isList(left) || !isList(right) || Array.isArray(left) !== Array.isArray(right)) return false;
    if (left.length !== right.length) return false;
    for (let at = 0; at < left.length; at++) if (!isSame(left[at], right[at])) return false;
    return true;
  }
  if (left instanceof Map || right instanceof Map) {
    if (!(left instanceof Map && right instanceof Map) || left.size !== right.size) return false;
    for (const [key, value] of left) if (!right.has(key) || !isSame(value, right.get(key))) return false;
    return true;
  }
  const keys = Object.keys(left);
  if (keys.length !== Object.keys(right).length) return false;
  for (const key of keys) {
    if (!Object.hasOwn(right, key) || !isSame(Reflect.get(left, key), Reflect.get(right, key))) return false;
  }
  return true;
}

/** Where two such values first differ, for people: `.vms[1].generation is 3, not 2`. Null: nowhere. */
export function difference(actual: unknown, expected: unknown): string | null {
  return isSame(actual, expected) ? null : differenceAt("", actual, expected);
}

function differenceAt(path: string, actual: unknown, expected: unknown): string {
  if (isParts(actual) && isParts(expected) && Array.isArray(actual) === Array.isArray(expected)) {
    for (const key of new Set([...Object.keys(expected), ...Object.keys(actual)])) {
      const [ours, theirs]: readonly unknown[] = [Reflect.get(actual, key), Reflect.get(expected, key)];
      if (isSame(ours, theirs)) continue;
      return differenceAt(Array.isArray(actual) ? `${path}[${key}]` : `${path}.${key}`, ours, theirs);
    }
  }
  return `${path} is ${JSON.stringify(actual)}, not ${JSON.stringify(expected)}`.trim();
}

function isParts(value: unknown): value is object {
  return typeof value === "object" && value !== null && !(value instanceof Map) && !(value instanceof Uint8Array);
}

function isList(value: object): value is readonly unknown[] | Uint8Array {
  return Array.isArray(value) || value instanceof Uint8Array;
}
