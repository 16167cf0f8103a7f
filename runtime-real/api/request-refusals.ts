/** Refusals of requests by the node itself, as errors of the API. */
import type { RequestRefusal } from "../../core/index.ts";
import { ApiError } from "../errors/index.ts";
import { quorumOf } from "./quorum.ts";
import { invalidField } from "./refusals.ts";
import type { Served } from "./served.ts";

export function requestRefused(served: Served, refusal: RequestRefusal): ApiError {
  switch (refusal.kind) {
    case "noLeader":
    case "notLeader": {
      const { has, missing, needed, connected } = quorumOf(served);
      if (has)
        return new ApiError(
          "noLeader",
          "no leader is known at the moment",
          "an election takes a second or two: try again",
        );
      const names = missing.map((id) => `node ${id}`).join(", ");
      return new ApiError(
        "quorumLost",
        `the cluster has lost its quorum: ${connected} of the voters are connected, ${needed} are needed; missing: ${names}`,
        `start the missing nodes again (${names}), or look at their logs and the network between`,
        { missing, needed, connected },
      );
    }
    case "tooManyUncommitted":
      return new ApiError(
        "tooManyUncommitted",
        "the leader cannot take more until earlier writes commit",
        "slow down and try again",
        {
          limitBytes: refusal.limitBytes,
        },
      );
    case "tooManyPending":
      return new ApiError(
        "tooManyPending",
        `this node keeps ${refusal.limit} requests waiting already`,
        "slow down, or ask another node",
        {
          limit: refusal.limit,
        },
      );
    case "invalidRequest":
      return invalidField(refusal);
    case "requestTooLarge":
      return new ApiError(
        "requestTooLarge",
        `the request has ${refusal.sizeBytes} bytes, the limit is ${refusal.limitBytes}`,
        "make it smaller",
        {
          sizeBytes: refusal.sizeBytes,
          limitBytes: refusal.limitBytes,
        },
      );
    case "outcomeUnknown": {
      const { missing } = quorumOf(served);
      return new ApiError(
        "outcomeUnknown",
        "no majority has confirmed it in time: it may have happened, or may still",
        "ask again within the same session, or look whether it happened",
        { missing },
      );
    }
    case "readTimedOut": {
      const { missing } = quorumOf(served);
      return new ApiError(
        "readTimedOut",
        "no majority has confirmed the leader in time",
        "try again, or read with --stale",
        { missing },
      );
    }
    case "membershipRefused":
      return new ApiError("membershipRefused", refusal.reason, "try again when what is in the way is over", {});
    case "transferRefused":
      return new ApiError("transferRefused", refusal.reason, "choose another voter, or try again", {});
    case "leaseReadsOff":
      return new ApiError("invalidRequest", "lease reads are switched off", "read linearizable or stale");
    case "halted":
      return new ApiError("halted", "this node has stopped itself", "its log says why; ask another node meanwhile");
  }
}
