/** The situations that a segment can leave behind, without those that another one can stand in for. */
import type { Start } from "./segment.ts";

export class Ends<State> {
  all: Start<State>[] = [];
  private readonly byState = new Map<number, Start<State>[]>();

  clear(): void {
    this.all = [];
    this.byState.clear();
  }

  /** `isUnknown`: whether an operation left open, by its place among those, is of unknown outcome. */
  add(stateId: number, end: Start<State>, isUnknown: (place: number) => boolean): void {
    const others = this.byState.get(stateId);
    if (others === undefined) {
      this.byState.set(stateId, [end]);
      this.all.push(end);
      return;
    }
    if (others.some((other) => standsIn(other, end, isUnknown))) return;
    const kept = others.filter((other) => !standsIn(end, other, isUnknown));
    if (kept.length < others.length)
      this.all = this.all.filter((other) => !others.includes(other) || kept.includes(other));
    kept.push(end);
    this.byState.set(stateId, kept);
    this.all.push(end);
  }
}

/**
 * Rule 5 of the search for ends: whether everything possible after `right` is possible after `left`, both in the same
 * state.
 */
function standsIn<State>(left: Start<State>, right: Start<State>, isUnknown: (place: number) => boolean): boolean {
  if (left.covered < right.covered) return false;
  const spentRight = new Set(right.spent);
  if (left.spent.some((place) => !spentRight.has(place))) return false;
  if (left.spent.length === right.spent.length) return true;
  const spentLeft = new Set(left.spent);
  return right.spent.every((place) => spentLeft.has(place) || isUnknown(place));
}
