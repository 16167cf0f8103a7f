import type { Command } from "commander";
import { loadMachines } from "../../../runtime-real/index.ts";
import { dataDirOption } from "../../client/index.ts";
import { confirm, FailureError, type Session, withExamples } from "../../frame/index.ts";
import { localImage } from "./local-image.ts";

interface RemoveFlags {
  readonly dataDir: string;
  readonly yes?: true;
  readonly json?: true;
}

export function registerRemove(image: Command, { terminal }: Session): void {
  withExamples(image.command("remove"), ["blixard image remove demo --yes"])
    .description("Remove an image from this host, unless a VM of this host uses it. Copies on other hosts stay.")
    .argument("<image>", "its name or digest")
    .addOption(dataDirOption())
    .option("--yes", "do not ask")
    .option("--json", "print JSON, and nothing else")
    .action(async (nameOrDigest: string, options: RemoveFlags) => {
      const { store, digest } = await localImage(options.dataDir, nameOrDigest);
      await confirm(`Remove the image ${nameOrDigest} from this host?`, options);
      const { machinesOf } = await loadMachines();
      const users = machinesOf(options.dataDir, digest);
      if (users.length > 0)
        throw new FailureError(
          `VMs of this host use the image ${nameOrDigest}: ${users.join(", ")}`,
          "delete or migrate them first",
        );
      store.remove(digest);
      terminal.out(options.json === true ? JSON.stringify({ digest }) : `image ${nameOrDigest} removed`);
    });
}
