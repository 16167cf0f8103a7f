/**
 * The connections between clients and hosts: requests go out, answers come back, and a connection breaks when the
 * process at its end does.
 */
import type { ClientAnswer, ClientRequest } from "../../core/index.ts";
import type { Stream } from "../random/index.ts";
import { type Caller, EVENT, SimEvent } from "./event.ts";
import type { EventLoop } from "./event-loop.ts";
import type { SimHost } from "./host.ts";
import type { SimMember } from "./member.ts";

export class ClientGateway {
  readonly #loop: EventLoop;
  readonly #delays: Stream;

  constructor(loop: EventLoop, delays: Stream) {
    this.#loop = loop;
    this.#delays = delays;
  }

  /**
   * Sends a request to the member that lives on the host when it gets there. The caller gets an answer, unless the
   * node never answers.
   */
  request(host: SimHost, request: ClientRequest, caller: Caller, attempt: number, delayUs = this.#delayUs()): void {
    const { member } = host;
    if (member === null) {
      this.#answerLater(null, caller, attempt, null);
      return;
    }
    const event = new SimEvent(EVENT.request, member, attempt);
    event.caller = caller;
    event.request = request;
    this.#loop.schedule(this.#loop.nowUs + delayUs, event);
  }

  /** A request has reached the process. Returns the number by which the process knows it. */
  accept(member: SimMember, caller: Caller, attempt: number): number {
    const requestId = member.nextRequestId;
    member.nextRequestId += 1;
    member.calls.set(requestId, { caller, attempt });
    return requestId;
  }

  /** The process answers. False when it was not asked that, or has answered it already. */
  answer(member: SimMember, requestId: number, answer: ClientAnswer): boolean {
    const call = member.calls.get(requestId);
    if (call === undefined) return false;
    member.calls.delete(requestId);
    this.#answerLater(member, call.caller, call.attempt, answer);
    return true;
  }

  /** The connection is refused: no process is there, or it is overwhelmed. */
  refuse(member: SimMember, caller: Caller, attempt: number): void {
    this.#answerLater(member, caller, attempt, null);
  }

  /** The process has ended: all its connections break. */
  breakOff(member: SimMember): void {
    for (const { caller, attempt } of member.calls.values()) this.#answerLater(member, caller, attempt, null);
    member.calls.clear();
  }

  #answerLater(member: SimMember | null, caller: Caller, attempt: number, answer: ClientAnswer | null): void {
    const event = new SimEvent(EVENT.answer, member, attempt);
    event.caller = caller;
    event.answer = answer;
    this.#loop.schedule(this.#loop.nowUs + this.#delayUs(), event);
  }

  /** Clients are near the hosts: their way is short, and never cut. */
  #delayUs(): number {
    return 100 + Math.floor(this.#delays.exponential(200));
  }
}
