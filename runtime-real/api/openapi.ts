/** The table of procedures as an OpenAPI 3.1 document, for people and for programs that generate clients. */
import { z } from "zod";
import { CONSOLE_UPGRADE } from "../console-protocol/index.ts";
import { API_ERRORS } from "../errors/index.ts";
import { CONSOLE_ACTIONS } from "./console-source.ts";
import { procedures } from "./procedures.ts";

export function openApiDocument(version: string): Readonly<Record<string, unknown>> {
  const paths: Record<string, unknown> = {};
  for (const [name, { summary, effect, action, parser, answer }] of Object.entries(procedures)) {
    paths[`/v1/${name}`] = {
      post: {
        operationId: name,
        summary,
        description: `${effect === "read" ? "Changes nothing." : "Writes: answers when it is committed and applied."} Needs the action \`${action}\`.`,
        requestBody: { required: true, content: jsonOf(schemaOf(parser, "input")) },
        responses: {
          200: { description: "Done.", content: jsonOf(schemaOf(answer, "output")) },
          default: {
            description: "Not done; `error.code` says why.",
            content: jsonOf({ $ref: "#/components/schemas/Error" }),
          },
        },
      },
    };
  }
  paths["/v1/events"] = {
    get: {
      operationId: "events.stream",
      summary: "What happens, as server-sent events; the id of each is its log index.",
      parameters: [
        {
          name: "after",
          in: "query",
          schema: { type: "integer", minimum: 0 },
          description: "Only events after this log index",
        },
        {
          name: "Last-Event-ID",
          in: "header",
          schema: { type: "integer", minimum: 0 },
          description: "The same, as browsers resume",
        },
      ],
      responses: {
        200: { description: "A stream without end.", content: { "text/event-stream": { schema: { type: "string" } } } },
      },
    },
  };
  for (const [kind, action] of Object.entries(CONSOLE_ACTIONS)) paths[`/v1/vm.${kind}`] = consoleOf(kind, action);
  return {
    openapi: "3.1.0",
    info: { title: "blixard", version, license: { name: "Apache-2.0", identifier: "Apache-2.0" } },
    security: [{ token: [] }],
    paths,
    components: {
      securitySchemes: {
        token: {
          type: "http",
          scheme: "bearer",
          description: "Over TCP. The socket in the data directory needs none.",
        },
      },
      schemas: {
        Error: {
          type: "object",
          required: ["error"],
          properties: {
            error: {
              type: "object",
              required: ["code", "message", "hint", "details", "requestId"],
              properties: {
                code: { enum: Object.keys(API_ERRORS) },
                message: { type: "string", description: "What happened, to what" },
                hint: { type: "string", description: "What to do about it" },
                details: { type: "object" },
                requestId: { type: "string", description: "As it stands in the node's log" },
              },
            },
          },
        },
      },
    },
  };
}

function consoleOf(kind: string, action: string): unknown {
  const flag = { in: "query", schema: { type: "boolean" } };
  const ofLogs = [
    { ...flag, name: "previous", description: "Of the run before the last one" },
    { ...flag, name: "follow", description: "Goes on until the run is over" },
    { name: "lines", in: "query", schema: { type: "integer" }, description: "Only so many of the last lines" },
  ];
  return {
    get: {
      operationId: `vm.${kind}`,
      summary: kind === "logs" ? "What a VM has written to its serial console." : "The serial console of a VM.",
      description: `Needs the action \`${action}\`, and the header \`Upgrade: ${CONSOLE_UPGRADE}\`.`,
      parameters: [
        { name: "name", in: "query", required: true, schema: { type: "string" } },
        ...(kind === "logs" ? ofLogs : []),
      ],
      responses: {
        101: { description: "From here on the connection carries frames, each with its length before it." },
        default: {
          description: "Not done; `error.code` says why.",
          content: jsonOf({ $ref: "#/components/schemas/Error" }),
        },
      },
    },
  };
}

function jsonOf(schema: unknown): Readonly<Record<string, unknown>> {
  return { "application/json": { schema } };
}

/** A schema that refers to nothing outside of itself. */
function schemaOf(schema: z.ZodType, io: "input" | "output"): unknown {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, {
    io,
    reused: "inline",
    unrepresentable: "any",
    override({ jsonSchema }) {
      // With an id, zod would refer to definitions inside of the schema, where OpenAPI does not look for them.
      delete jsonSchema["id"];
      // An answer has all its fields: what a field is where it is left out says nothing of it.
      if (io === "output") delete jsonSchema.default;
    },
  });
  return rest;
}
