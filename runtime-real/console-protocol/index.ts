/** The conversation about a console. Light: clients use it too. */
export {
  bytesFrame,
  CONSOLE_FRAME_BYTES_MAX,
  CONSOLE_UPGRADE,
  type ConsoleAsk,
  type ConsoleEnded,
  type ConsoleOpened,
  type ConsoleRefused,
  type ConsoleView,
  CREDITS,
  FRAME_KIND,
  isOutput,
  jsonFrame,
  jsonOf,
  LOST,
  MORE,
  TYPED_BYTES_MAX,
} from "./protocol.ts";
