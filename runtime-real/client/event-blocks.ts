/** Server-sent events, as they come over the wire. */
import type { IncomingMessage } from "node:http";
import { apiErrorOf } from "./api-error-of.ts";

/** The data of each event of a stream. @throws ApiError when the answer is no stream */
export async function* eventBlocks(response: IncomingMessage): AsyncGenerator<string, void, undefined> {
  if (response.statusCode !== 200) {
    let text = "";
    for await (const chunk of response) text += String(chunk);
    throw apiErrorOf(text, response);
  }
  response.setEncoding("utf8");
  let rest = "";
  for await (const chunk of response) {
    rest += String(chunk);
    for (let end = rest.indexOf("\n\n"); end >= 0; end = rest.indexOf("\n\n")) {
      const data = rest
        .slice(0, end)
        .split("\n")
        .find((line) => line.startsWith("data: "));
      rest = rest.slice(end + 2);
      if (data !== undefined) yield data.slice("data: ".length);
    }
  }
}
