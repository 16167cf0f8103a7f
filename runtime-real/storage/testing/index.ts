export { BEGINNING, diceOf, Life, SETTINGS } from "./life.ts";
