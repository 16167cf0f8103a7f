/** When something happened: the number of the event, the same as in a trace, and virtual time. */
export interface Moment {
  readonly event: number;
  readonly atMs: number;
}

/** For people, with the time as `--verbose` prints it. */
export function momentText({ event, atMs }: Moment): string {
  return `event ${event}, ${(atMs / 1000).toFixed(6)} s`;
}
