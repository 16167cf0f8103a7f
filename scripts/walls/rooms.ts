/** The rooms, and what each may import. */

export interface Room {
  /** Other rooms it may import. */
  readonly rooms: readonly string[];
  /** npm packages it may import. "any" includes Node's own modules. */
  readonly packages: readonly string[] | "any";
  /** Deterministic: same inputs, same outputs, on every machine. */
  readonly pure: boolean;
}

// msgpackr only by its entry without Node streams and native code.
export const ROOMS: Readonly<Record<string, Room>> = {
  core: { rooms: [], packages: ["immer", "msgpackr/pack"], pure: true },
  "runtime-sim": { rooms: ["core"], packages: ["seedrandom"], pure: true },
  "runtime-real": { rooms: ["core"], packages: "any", pure: false },
  scenarios: { rooms: ["runtime-sim", "core"], packages: [], pure: true },
  cli: { rooms: ["scenarios", "runtime-sim", "runtime-real", "core"], packages: "any", pure: false },
  bench: { rooms: ["cli", "scenarios", "runtime-sim", "runtime-real", "core"], packages: "any", pure: false },
  scripts: { rooms: [], packages: "any", pure: false },
};
