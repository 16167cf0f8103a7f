/** Tokens for the API and for joining, as text. Light: commands make and read them without a node. */
export {
  formatApiToken,
  formatJoinToken,
  hashSecret,
  InvalidToken,
  makeToken,
  type NewToken,
  parsePins,
  parseToken,
} from "./token-text.ts";
