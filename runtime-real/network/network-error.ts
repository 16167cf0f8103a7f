/** Why the network could not do what it was asked. `hint` says what to do. */
export class NetworkError extends Error {
  override readonly name = "NetworkError";
  readonly kind: "cannotListen" | "notConnected" | "timedOut" | "closed" | "tooLarge" | "busy";
  readonly hint: string;

  constructor(kind: NetworkError["kind"], message: string, hint: string) {
    super(message);
    this.kind = kind;
    this.hint = hint;
  }
}
