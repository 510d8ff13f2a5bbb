import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { type Answer, answerFailure, unauthorized } from "./answer.ts";

/** What goes wrong before there is a request. */
export const connectionFaults = [
  /** Nothing listens. */
  "refused",
  /** Connections are taken and nothing is ever said, not even TLS. */
  "blackHole",
  /** Plain HTTP where TLS was expected. */
  "noTls",
  /** The server's certificate is signed by an authority of the same name that nobody trusts. */
  "foreignCertificate",
  /** The server's certificate ended an hour ago. */
  "expiredCertificate",
] as const;

/** What goes wrong with the answer. */
export const answerFaults = [
  /** The request is read and never answered. */
  "silent",
  /** The connection ends in the place of an answer. */
  "hangUp",
  /** The right answer, a byte every 200 ms. */
  "slowBytes",
  "status401",
  /** A 403 that isn't for good: RBAC's caches are empty just after a start. */
  "status403",
  /** 404 from something in between that knows no Nodes. */
  "status404Html",
  "status409",
  /** The server's own limit on requests, with Retry-After. */
  "status429",
  "status500",
  /** A load balancer without a server behind it. */
  "status503",
  /** 200 with a page for people. */
  "html",
  /** Half of the right answer, then the connection ends. */
  "truncated",
  /** 100 MB that begin like a Node. */
  "oversized",
  /** 307 to another path of this server. */
  "redirect",
  /** 200 with bytes that are no JSON and no UTF-8. */
  "garbage",
  /** 200 without a body. */
  "empty",
  /** 200 with a good object that is no Node. */
  "wrongKind",
  /** Pages after the first are gone: 410. */
  "expiredContinue",
] as const;

export type AnswerFault = (typeof answerFaults)[number];
export type Fault = (typeof connectionFaults)[number] | AnswerFault;

/** Whether the fault lets a request in. */
export function isAnswerFault(fault: Fault | null): fault is AnswerFault {
  return (answerFaults as readonly (Fault | null)[]).includes(fault);
}

const json = { "content-type": "application/json" };
const page = (title: string): string =>
  `<html>\n<head><title>${title}</title></head>\n<body><h1>${title}</h1></body>\n</html>\n`;
const html = (status: number, title: string): Answer => ({
  status,
  headers: { "content-type": "text/html" },
  body: page(title),
});
const plain = (status: number, headers: Record<string, string>, body: string): Answer => ({
  status,
  headers: { "content-type": "text/plain; charset=utf-8", ...headers },
  body,
});

const wholeAnswers = {
  status401: unauthorized,
  status403: answerFailure(403, "Forbidden", "nodes is forbidden: not yet ready to handle request", {
    kind: "nodes",
  }),
  status404Html: html(404, "404 Not Found"),
  status409: answerFailure(409, "Conflict", "Operation cannot be fulfilled: the object has been modified", {
    kind: "nodes",
  }),
  status429: plain(429, { "retry-after": "1" }, "Too many requests, please try again later.\n"),
  status500: answerFailure(500, "InternalError", "etcdserver: request timed out", {}),
  status503: html(503, "503 Service Temporarily Unavailable"),
  html: html(200, "Please log in"),
  empty: { status: 200, headers: json, body: "" },
  wrongKind: {
    status: 200,
    headers: json,
    body: '{"kind":"Pod","apiVersion":"v1","metadata":{"name":"node-a"}}\n',
  },
} satisfies Partial<Record<AnswerFault, Answer>>;

const isWhole = (fault: AnswerFault): fault is keyof typeof wholeAnswers =>
  Object.hasOwn(wholeAnswers, fault);

const oversized = 100 * 1024 * 1024;

/** Answers as the fault says in the place of `right`, which is what a server in health would say. */
export async function answerFaulty(
  fault: AnswerFault,
  request: IncomingMessage,
  response: ServerResponse,
  right: Answer,
): Promise<void> {
  if (isWhole(fault)) return writeAnswer(response, wholeAnswers[fault]);
  switch (fault) {
    case "silent":
      return;
    case "hangUp":
      request.socket.destroy();
      return;
    case "slowBytes":
      return writeSlowly(response, right);
    case "truncated":
      return writeHalf(response, right);
    case "oversized":
      return writeOversized(response);
    case "redirect":
      return writeAnswer(response, {
        status: 307,
        headers: { location: `/redirected${request.url}` },
        body: "",
      });
    case "garbage":
      response.writeHead(200, json).end(Buffer.from([0x00, 0xff, 0xfe, 0x7b, 0x80, 0x22]));
      return;
    case "expiredContinue":
      return writeAnswer(response, /[?&]continue=[^&]/.test(request.url ?? "") ? answerGone() : right);
  }
}

/** A whole answer with its length. */
export function writeAnswer(response: ServerResponse, { status, headers, body }: Answer): void {
  response.writeHead(status, { ...headers, "content-length": Buffer.byteLength(body) }).end(body);
}

/** What a server that knows no TLS says to a ClientHello. */
export function answerWithoutTls(socket: Socket): void {
  socket.once("data", () =>
    socket.end("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"),
  );
}

async function writeSlowly(response: ServerResponse, { status, headers, body }: Answer): Promise<void> {
  response.writeHead(status, { ...headers, "content-length": Buffer.byteLength(body) });
  for (const byte of Buffer.from(body)) {
    if (response.destroyed) return;
    response.write(Buffer.of(byte));
    await sleep(200, undefined, { ref: false });
  }
  response.end();
}

async function writeHalf(response: ServerResponse, { status, headers, body }: Answer): Promise<void> {
  const bytes = Buffer.from(body);
  response.writeHead(status, { ...headers, "content-length": bytes.length });
  await new Promise<void>((resolve) => {
    response.write(bytes.subarray(0, bytes.length / 2), () => resolve());
  });
  response.destroy();
}

// A client that has had enough ends the connection: that is no error here.
async function writeOversized(response: ServerResponse): Promise<void> {
  response.writeHead(200, json);
  await pipeline(makeOversized, response).catch(() => {});
}

function* makeOversized(): Generator<string> {
  const chunk = "a".repeat(64 * 1024);
  yield '{"kind":"Node","apiVersion":"v1","metadata":{"name":"';
  for (let made = 0; made < oversized; made += chunk.length) yield chunk;
  yield '"}}';
}

function answerGone(): Answer {
  const message =
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter.";
  return answerFailure(410, "Expired", message);
}
