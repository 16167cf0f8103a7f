import { type DestinationStream, type Logger, pino } from "pino";
import { PinoPretty } from "pino-pretty";

export interface LogOptions {
  readonly level: "trace" | "debug" | "info" | "warn" | "error" | "silent";
  /** pretty: for people at a terminal. json: one object a line. */
  readonly format: "json" | "pretty";
}

/** Logs to standard error, because standard output belongs to the command. */
export function createLogger({ level, format }: LogOptions, node: number | null): Logger {
  return pino({ level, base: node === null ? {} : { node } }, destination(format));
}

function destination(format: LogOptions["format"]): DestinationStream {
  if (format === "json") return pino.destination({ dest: 2, sync: false, minLength: 0 });
  return PinoPretty({
    destination: 2,
    sync: true,
    colorize: process.stderr.isTTY === true || process.env["FORCE_COLOR"] !== undefined,
    translateTime: "SYS:HH:MM:ss.l",
    ignore: "pid,hostname,node",
    messageFormat: (line, messageKey) =>
      line["node"] === undefined ? String(line[messageKey]) : `node ${line["node"]} · ${line[messageKey]}`,
  });
}
