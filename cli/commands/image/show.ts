import type { Command } from "commander";
import { loadMachines } from "../../../runtime-real/index.ts";
import { dataDirOption } from "../../client/index.ts";
import { type Session, withExamples } from "../../frame/index.ts";
import { count, table } from "../../output/index.ts";
import { localImage } from "./local-image.ts";

export function registerShow(image: Command, { terminal }: Session): void {
  withExamples(image.command("show"), ["blixard image show demo"])
    .description("What an image of this host is made of, and which VMs of this host use it.")
    .argument("<image>", "its name or digest")
    .addOption(dataDirOption())
    .option("--json", "print JSON, and nothing else")
    .action(async (nameOrDigest: string, options: { readonly dataDir: string; readonly json?: true }) => {
      const { store, digest, names } = await localImage(options.dataDir, nameOrDigest);
      const { machinesOf } = await loadMachines();
      const usedBy = machinesOf(options.dataDir, digest);
      const { files, version: _, ...described } = store.describe(digest);
      const sizes = files.map(({ name, sizeBytes }) => ({ name, sizeBytes }));
      if (options.json === true) {
        terminal.out(JSON.stringify({ image: { digest, names, ...described, files: sizes, usedBy } }));
        return;
      }
      const list = (items: readonly string[]): string => (items.length === 0 ? "-" : items.join(", "));
      const boots =
        described.kind === "kernel"
          ? [["kernel's words", described.commandLine === "" ? "-" : described.commandLine]]
          : [["disk", `${described.format}, ${count(described.virtualBytes)} bytes for the guest`]];
      const rows = [
        ["digest", digest],
        ["names", list(names)],
        ["kind", described.kind],
        ...boots,
        ["files", list(sizes.map(({ name, sizeBytes }) => `${name} (${count(sizeBytes)} bytes)`))],
        ["used by", list(usedBy)],
      ];
      for (const line of table("<<", rows)) terminal.out(line);
    });
}
