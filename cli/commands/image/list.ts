import { join } from "node:path";
import type { Command } from "commander";
import { loadImages } from "../../../runtime-real/index.ts";
import { dataDirOption } from "../../client/index.ts";
import { type Session, withExamples } from "../../frame/index.ts";
import { fitTable } from "../../output/index.ts";

export function registerList(image: Command, { terminal }: Session): void {
  withExamples(image.command("list"), ["blixard image list", "blixard image list --json"])
    .description("List the images of this host.")
    .addOption(dataDirOption())
    .option("--json", "print JSON, and nothing else")
    .action(async (options: { readonly dataDir: string; readonly json?: true }) => {
      const { ImageStore } = await loadImages();
      const images = new ImageStore(join(options.dataDir, "images")).list();
      if (options.json === true) {
        terminal.out(JSON.stringify({ images }));
        return;
      }
      if (images.length === 0) {
        terminal.err("there are no images; `blixard image build demo` makes one");
        return;
      }
      const rows = images.map(({ names, digest }) => [names.join(", "), digest]);
      for (const line of fitTable("<<", [["NAME", "DIGEST"], ...rows], terminal.columns)) terminal.out(line);
    });
}
