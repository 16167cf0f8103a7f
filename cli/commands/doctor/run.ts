/** The output of a command. Null: it is not installed, fails or hangs. */
export async function run(command: string, args: readonly string[]): Promise<string | null> {
  const { execa } = await import("execa");
  const { stdout, failed: hasFailed } = await execa(command, args, { timeout: 3000, reject: false, stdin: "ignore" });
  return hasFailed && stdout === undefined ? null : hasFailed && stdout.trim() === "" ? null : (stdout ?? "").trim();
}
