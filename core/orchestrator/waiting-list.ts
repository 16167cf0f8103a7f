/**
 * Requests that wait for a place: higher priorities first, and within one priority those that came first. A request
 * that was tried in vain waits until something has changed, and is then tried once more, in turn.
 *
 * Where room changes faster than all requests of high priority can be tried, the others would never be tried. `oldest`
 * is for them.
 */
export class WaitingList {
  /** By priority, highest first. */
  #levels: Level[] = [];
  #priorities = new Map<string, number>();

  /** To be tried next. */
  add(key: string, priority: number): void {
    this.delete(key);
    this.#priorities.set(key, priority);
    this.#level(priority).fresh.add(key);
  }

  delete(key: string): void {
    const priority = this.#priorities.get(key);
    if (priority === undefined) return;
    this.#priorities.delete(key);
    const level = this.#level(priority);
    level.fresh.delete(key);
    level.tried.delete(key);
    if (level.fresh.size + level.tried.size === 0) this.#levels.splice(this.#levels.indexOf(level), 1);
  }

  /** The next to be tried, where `roomIndex` is the last change of room; null: none. */
  next(roomIndex: number): string | null {
    for (const { fresh, tried, changedIndex } of this.#levels) {
      for (const key of fresh) return key;
      for (const [key, triedAt] of tried) {
        if (triedAt < Math.max(roomIndex, changedIndex)) return key;
        break;
      }
    }
    return null;
  }

  /** As `next`, but the one that was tried the longest ago, whatever its priority. */
  oldest(roomIndex: number): string | null {
    let oldest: string | null = null;
    let oldestAt = Number.POSITIVE_INFINITY;
    for (const { tried, changedIndex } of this.#levels) {
      for (const [key, triedAt] of tried) {
        if (triedAt < Math.max(roomIndex, changedIndex) && triedAt < oldestAt) {
          oldest = key;
          oldestAt = triedAt;
        }
        break;
      }
    }
    return oldest ?? this.next(roomIndex);
  }

  /** Something has changed at `index` for all of a higher priority. */
  changedAbove(priority: number, index: number): void {
    for (const level of this.#levels) {
      if (level.priority <= priority) return;
      level.changedIndex = index;
    }
  }

  /** No worker takes it in the state of `index`. */
  failed(key: string, index: number): void {
    const priority = this.#priorities.get(key);
    if (priority === undefined) return;
    const level = this.#level(priority);
    level.fresh.delete(key);
    // At the end, so that the first was tried the longest ago.
    level.tried.delete(key);
    level.tried.set(key, index);
  }

  #level(priority: number): Level {
    let at = 0;
    for (; at < this.#levels.length; at++) {
      const level = this.#levels[at];
      if (level === undefined || level.priority < priority) break;
      if (level.priority === priority) return level;
    }
    const level: Level = { priority, fresh: new Set(), tried: new Map(), changedIndex: 0 };
    this.#levels.splice(at, 0, level);
    return level;
  }

  capture() {
    return { levels: this.#levels.map(copyOf), priorities: new Map(this.#priorities) };
  }

  restore(captured: ReturnType<WaitingList["capture"]>): void {
    this.#levels = captured.levels.map(copyOf);
    this.#priorities = new Map(captured.priorities);
  }
}

interface Level {
  readonly priority: number;
  readonly fresh: Set<string>;
  /** When each was tried last, by log index. */
  readonly tried: Map<string, number>;
  /** The last change that concerned this level and not those below. */
  changedIndex: number;
}

function copyOf(level: Level): Level {
  return { ...level, fresh: new Set(level.fresh), tried: new Map(level.tried) };
}
