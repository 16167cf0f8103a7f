import { Argument, type Command } from "commander";
import { loadImages } from "../../../runtime-real/index.ts";
import { FailureError, type Session, withExamples } from "../../frame/index.ts";
import { type CopyFlags, madeHere, withCopyOptions } from "./copies.ts";

export function registerBuild(image: Command, session: Session): void {
  withCopyOptions(
    withExamples(image.command("build"), ["blixard image build demo", "blixard image build demo --data-dir ./data-2"])
      .description(
        "Make an image. demo: a tiny Linux guest that answers HTTP, from Debian's cloud kernel and busybox, which are downloaded by apt-get and not installed. Returns when another worker has a copy too, if there is one.",
      )
      .addArgument(new Argument("<image>", "which").choices(["demo"])),
  ).action(async (name: "demo", flags: CopyFlags) => {
    await madeHere(name, await built(flags, session), flags, session);
  });
}

async function built({ dataDir, json }: CopyFlags, { terminal }: Session): Promise<string> {
  const { buildDemoImage, ImageError, ImageStore, imagesFolder } = await loadImages();
  try {
    return await buildDemoImage(new ImageStore(imagesFolder(dataDir)), (step) => {
      if (json !== true) terminal.err(`${step} ...`);
    });
  } catch (error) {
    if (error instanceof ImageError)
      throw new FailureError(error.message, "the demo image is made from packages of Debian");
    throw error;
  }
}
