/** A whole HTTP answer. */
export type Answer = { status: number; headers: Record<string, string>; body: string };

/** What a Status says of the object that was asked for. */
export type StatusDetails = { name?: string; kind?: string; uid?: string; causes?: object[] };

/** Ends the handling of a request with an answer that is no success. */
export class Refusal extends Error {
  readonly answer: Answer;

  constructor(answer: Answer) {
    super(answer.body);
    this.answer = answer;
  }
}

/** An answer with a JSON body, ended by a newline as Kubernetes' are. */
export function answerJson(status: number, value: object): Answer {
  return { status, headers: { "content-type": "application/json" }, body: `${JSON.stringify(value)}\n` };
}

/** The `Status` object of a request that failed; `details` is left out only where Kubernetes leaves it out. */
export function answerFailure(
  code: number,
  reason: string,
  message: string,
  details?: StatusDetails,
): Answer {
  return answerJson(code, {
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    message,
    reason,
    ...(details && { details }),
    code,
  });
}

/** No credentials were good: 401. */
export const unauthorized = answerFailure(401, "Unauthorized", "Unauthorized");

/** No such path below an API group that is served. */
export const unknownResource = answerFailure(
  404,
  "NotFound",
  "the server could not find the requested resource",
  {},
);

/** A path that is served, asked by a verb that isn't. */
export const methodNotAllowed = answerFailure(
  405,
  "MethodNotAllowed",
  "the server does not allow this method on the requested resource",
  {},
);

/** No path at all: plain text, as Go's server answers. */
export const unknownPath: Answer = {
  status: 404,
  headers: { "content-type": "text/plain; charset=utf-8" },
  body: "404 page not found\n",
};

/** The Node isn't there: the one 404 that says so. */
export function answerNoNode(name: string): Answer {
  return answerFailure(404, "NotFound", `nodes "${name}" not found`, { name, kind: "nodes" });
}

/** A field of the Node was refused; `field` is its path. */
export function answerInvalid(name: string, field: string, problem: string): Answer {
  return answerFailure(422, "Invalid", `Node "${name}" is invalid: ${field}: ${problem}`, {
    name,
    kind: "Node",
    causes: [{ reason: "FieldValueInvalid", message: problem, field }],
  });
}

/** 403 about Nodes, without a name about all of them. */
export function answerForbidden(name: string | undefined, why: string): Answer {
  const what = name === undefined ? "nodes" : `nodes "${name}"`;
  return answerFailure(403, "Forbidden", `${what} is forbidden: ${why}`, {
    ...(name && { name }),
    kind: "nodes",
  });
}
