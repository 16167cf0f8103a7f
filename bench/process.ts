/** The command as a user runs it, from start to exit. */
import { spawnSync } from "node:child_process";
import { median } from "./figures.ts";

const COMMANDS: readonly (readonly string[])[] = [
  ["--help"],
  ["sim", "--seed", "12345", "byzantine"],
  ["sim", "--seed", "12345", "calm"],
];

export function wholeProcess(): void {
  for (const command of COMMANDS) {
    const times: number[] = [];
    for (let repeat = 0; repeat < 5; repeat++) {
      const startedMs = performance.now();
      const { status, stderr } = spawnSync(process.execPath, ["cli/blixard.js", ...command], { encoding: "utf8" });
      times.push(performance.now() - startedMs);
      if (status !== 0) throw new Error(`blixard ${command.join(" ")} ended with ${status}: ${stderr}`);
    }
    console.log(`blixard ${command.join(" ").padEnd(30)} ${Math.round(median(times))} ms`);
  }
  console.log("");
}
