import { createSocket } from "node:dgram";
import { type Finding, failed, ok, warning } from "./finding.ts";

export function portIsFree(bind: string): Promise<Omit<Finding, "check">> {
  const at = bind.lastIndexOf(":");
  const host = bind.slice(0, at).replace(/^\[|\]$/g, "");
  const port = Number(bind.slice(at + 1));
  if (at < 1 || !Number.isInteger(port) || port < 0 || port > 65_535)
    return Promise.resolve(failed(`${bind} is no address`, "give --bind HOST:PORT, such as 127.0.0.1:7001"));
  return new Promise((resolve) => {
    const socket = createSocket(host.includes(":") ? "udp6" : "udp4");
    socket.once("error", (error) => {
      socket.close();
      const isTaken = "code" in error && error.code === "EADDRINUSE";
      resolve(
        isTaken
          ? warning(
              `${bind} (UDP) is in use`,
              "by the running node, if there is one; otherwise choose another with --bind",
            )
          : failed(`${bind} (UDP) cannot be used: ${error.message}`, "choose an address of this host with --bind"),
      );
    });
    socket.bind(port, host, () => socket.close(() => resolve(ok(`${bind} (UDP) is free`))));
  });
}
