/** The median: one slow run on a noisy machine does not change it. */
export function median(figures: readonly number[]): number {
  const sorted = [...figures].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

export function perSecond(count: number, elapsedMs: number): number {
  return (count / elapsedMs) * 1000;
}
