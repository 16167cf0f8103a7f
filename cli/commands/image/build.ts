import { join } from "node:path";
import { Argument, type Command } from "commander";
import { loadImages } from "../../../runtime-real/index.ts";
import { dataDirOption } from "../../client/index.ts";
import { FailureError, type Session, withExamples } from "../../frame/index.ts";

export function registerBuild(image: Command, { terminal }: Session): void {
  withExamples(image.command("build"), ["blixard image build demo", "blixard image build demo --data-dir ./data-2"])
    .description(
      "Make an image. demo: a tiny Linux guest that answers HTTP, from Debian's cloud kernel and busybox, which are downloaded by apt-get and not installed.",
    )
    .addArgument(new Argument("<image>", "which").choices(["demo"]))
    .addOption(dataDirOption())
    .option("--json", "print JSON, and nothing else")
    .action(async (_image: "demo", options: { readonly dataDir: string; readonly json?: true }) => {
      const { buildDemoImage, ImageError, ImageStore } = await loadImages();
      try {
        const store = new ImageStore(join(options.dataDir, "images"));
        const digest = await buildDemoImage(store, (step) => {
          if (options.json !== true) terminal.err(`${step} ...`);
        });
        terminal.out(options.json === true ? JSON.stringify({ name: "demo", digest }) : `demo ${digest}`);
      } catch (error) {
        if (error instanceof ImageError)
          throw new FailureError(error.message, "the demo image is made from packages of Debian");
        throw error;
      }
    });
}
