/** The entry point of the process, loaded by blixard.js. */
import { watchInterrupt } from "./frame/index.ts";
import { terminalOver } from "./output/index.ts";
import { execute } from "./program.ts";

// A reader that has closed the pipe (`| head`) is no error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit();
});

// Not process.exit: it would discard output that is still buffered.
process.exitCode = await execute(process.argv.slice(2), terminalOver(process.stdout, process.stderr), watchInterrupt);
