import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import type { Address } from "../daemon/flags.ts";
import { parseDuration } from "../text/duration.ts";
import type { Pair } from "./certificate.ts";
import type { AdmissionRequest, Verdict } from "./review.ts";

/** Two whole objects and what is around them: etcd takes no object above 1.5 MiB. */
const longestBody = 8 << 20;

/** `patienceMs`: after that the API server hardly waits any more. */
export type Judge = (request: AdmissionRequest, patienceMs: number) => Promise<Verdict>;

/** An address with a certificate that answers AdmissionReviews, whatever their path. */
export type AdmissionServer = { port: number; close(): Promise<void> };

export async function serveAdmission(address: Address, pair: Pair, judge: Judge): Promise<AdmissionServer> {
  const server = createServer(
    { cert: pair.certificate, key: pair.key, minVersion: "TLSv1.2" },
    (request, response) => {
      answer(request, response, judge).catch(() => response.destroy());
    },
  );
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(address.port, address.host, resolve);
  });
  return { port: (server.address() as AddressInfo).port, close: () => close(server) };
}

async function answer(request: IncomingMessage, response: ServerResponse, judge: Judge): Promise<void> {
  const review = request.method === "POST" ? readReview(await readBody(request)) : undefined;
  if (!review) {
    response
      .writeHead(400, { "content-type": "text/plain" })
      .end("expected an AdmissionReview of admission.k8s.io/v1\n");
    return;
  }
  const { refusal, warnings } = await judge(review, readPatience(request.url ?? ""));
  const body = JSON.stringify({
    apiVersion: "admission.k8s.io/v1",
    kind: "AdmissionReview",
    response: {
      uid: review.uid,
      allowed: refusal === undefined,
      ...(refusal !== undefined && { status: { code: 422, reason: "Invalid", message: refusal } }),
      ...(warnings && { warnings }),
    },
  });
  response.writeHead(200, { "content-type": "application/json" }).end(body);
}

/** The API server says by when it wants an answer: `?timeout=5s`. */
function readPatience(url: string): number {
  const asked = new URL(url, "https://webhook").searchParams.get("timeout") ?? "";
  return (parseDuration(asked) ?? 10_000) * 0.8;
}

function readReview(text: string | undefined): AdmissionRequest | undefined {
  try {
    const { apiVersion, request } = JSON.parse(text ?? "");
    const isReview = apiVersion === "admission.k8s.io/v1" && typeof request?.uid === "string";
    return isReview && typeof request.kind?.kind === "string" ? request : undefined;
  } catch {
    return undefined;
  }
}

/** Undefined where it is too long. */
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > longestBody) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

/** What is being answered gets its answer; connections that wait for the next question end. */
function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
  });
}
