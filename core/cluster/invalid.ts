/** What is refused at the doors of the replicated state. */
import { InvalidField } from "../schema/index.ts";

/** A command request, as bytes or as a value, that no replica may apply. Mend the named field and send it again. */
export class InvalidCommand extends InvalidField {
  override readonly name: string = "InvalidCommand";
}

/** Snapshot chunks that are damaged, forged, or of a format unknown to this version. Nothing of them may be used. */
export class InvalidSnapshot extends InvalidField {
  override readonly name: string = "InvalidSnapshot";
}
