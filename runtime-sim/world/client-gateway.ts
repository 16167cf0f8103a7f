/** The connections between clients and hosts: requests go out, answers come back, and a connection breaks when the process at its end does. */
import type { ClientAnswer, ClientRequest } from "../../core/index.ts";
import type { Stream } from "../random/index.ts";
import { type Caller, EVENT, SimEvent } from "./event.ts";
import type { EventLoop } from "./event-loop.ts";
import type { Host, Place } from "./host.ts";

export class ClientGateway {
  readonly #loop: EventLoop;
  readonly #delays: Stream;

  constructor(loop: EventLoop, delays: Stream) {
    this.#loop = loop;
    this.#delays = delays;
  }

  /** Sends a request to whoever lives at the place when it gets there. The caller gets an answer, unless the node never answers. */
  request(place: Place, request: ClientRequest, caller: Caller, attempt: number, delayUs = this.#delayUs()): void {
    const { host } = place;
    if (host === null) {
      this.#answerLater(null, caller, attempt, null);
      return;
    }
    const event = new SimEvent(EVENT.request, host, attempt);
    event.caller = caller;
    event.request = request;
    this.#loop.schedule(this.#loop.nowUs + delayUs, event);
  }

  /** A request has reached the process. Returns the number by which the process knows it. */
  accept(host: Host, caller: Caller, attempt: number): number {
    const requestId = host.nextRequestId;
    host.nextRequestId += 1;
    host.calls.set(requestId, { caller, attempt });
    return requestId;
  }

  /** The process answers. False when it was not asked that, or has answered it already. */
  answer(host: Host, requestId: number, answer: ClientAnswer): boolean {
    const call = host.calls.get(requestId);
    if (call === undefined) return false;
    host.calls.delete(requestId);
    this.#answerLater(host, call.caller, call.attempt, answer);
    return true;
  }

  /** The connection is refused: no process is there, or it is overwhelmed. */
  refuse(host: Host, caller: Caller, attempt: number): void {
    this.#answerLater(host, caller, attempt, null);
  }

  /** The process has ended: all its connections break. */
  breakOff(host: Host): void {
    for (const { caller, attempt } of host.calls.values()) this.#answerLater(host, caller, attempt, null);
    host.calls.clear();
  }

  #answerLater(host: Host | null, caller: Caller, attempt: number, answer: ClientAnswer | null): void {
    const event = new SimEvent(EVENT.answer, host, attempt);
    event.caller = caller;
    event.answer = answer;
    this.#loop.schedule(this.#loop.nowUs + this.#delayUs(), event);
  }

  /** Clients are near the hosts: their way is short, and never cut. */
  #delayUs(): number {
    return 100 + Math.floor(this.#delays.exponential(200));
  }
}
