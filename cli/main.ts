/** Where the process meets the program; started by blixard.js. */
import { watchInterrupt } from "./frame/index.ts";
import { terminalOver } from "./output/index.ts";
import { execute } from "./program.ts";

// A reader that went away (`| head`) wants no more, and no complaint.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit();
});

// Not process.exit: what was written must be on its way first.
process.exitCode = await execute(process.argv.slice(2), terminalOver(process.stdout, process.stderr), watchInterrupt);
