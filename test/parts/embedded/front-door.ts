import { constants } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { Socket } from "node:net";
import { text } from "node:stream/consumers";
import { type Authority, createAuthority, type Issued } from "../certificates.ts";
import type { Answer } from "./answer.ts";
import { answerFaulty, answerWithoutTls, type Fault, isAnswerFault, writeAnswer } from "./fault.ts";
import { createListener } from "./listener.ts";

/** TLS and HTTP on some addresses, with faults. Closed at first. */
export type FrontDoor = {
  open(): Promise<void>;
  /** Ends every connection too. */
  close(): Promise<void>;
  /** From now on, for every client; open connections end. `null` is health. */
  fault(fault: Fault | null): Promise<void>;
  /** TCP connections taken so far. */
  connections(): number;
};

/** `answer` is called for each whole request, faults or not. Clients' certificates are checked against `authority`. */
export type FrontDoorOptions = {
  addresses: string[];
  port: number;
  authority: Authority;
  answer(request: IncomingMessage, body: string): Answer;
};

type Certificates = Record<"good" | "foreignCertificate" | "expiredCertificate", Issued>;

const hour = 3_600_000;

export async function createFrontDoor(options: FrontDoorOptions): Promise<FrontDoor> {
  const { addresses, port, authority, answer } = options;
  const certificates = await issueCertificates(authority, addresses);
  let current: Fault | null = null;
  let opened = false;
  let connections = 0;

  const tls = createServer({ ...secure(), requestCert: true, rejectUnauthorized: false });
  tls.on("request", (request, response) => void handle(request, response));
  tls.on("tlsClientError", () => {});
  const listener = createListener(addresses, port, accept);

  function secure() {
    const which = current === "foreignCertificate" || current === "expiredCertificate" ? current : "good";
    const { certificate: cert, key } = certificates[which];
    // Without tickets: a resumed session would carry on with what an earlier handshake found.
    return { ca: authority.certificate, cert, key, secureOptions: constants.SSL_OP_NO_TICKET };
  }

  function accept(socket: Socket): void {
    connections += 1;
    if (current === "blackHole") return;
    if (current === "noTls") answerWithoutTls(socket);
    else tls.emit("connection", socket);
  }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(request).catch(() => undefined);
    if (body === undefined) return;
    const right = answer(request, body);
    if (isAnswerFault(current)) await answerFaulty(current, request, response, right);
    else writeAnswer(response, right);
  }

  async function apply(): Promise<void> {
    tls.setSecureContext(secure());
    listener.closeConnections();
    await (opened && current !== "refused" ? listener.open() : listener.close());
  }

  return {
    open: () => {
      opened = true;
      return apply();
    },
    close: () => {
      opened = false;
      return apply();
    },
    fault: (fault) => {
      current = fault;
      return apply();
    },
    connections: () => connections,
  };
}

async function issueCertificates(authority: Authority, ipAddresses: string[]): Promise<Certificates> {
  const request = {
    commonName: "kube-apiserver",
    ipAddresses,
    dnsNames: ["localhost", "kubernetes.default.svc"],
    usages: ["server" as const],
  };
  const past = { notBefore: new Date(Date.now() - 2 * hour), notAfter: new Date(Date.now() - hour) };
  return {
    good: await authority.issue(request),
    foreignCertificate: await (await createAuthority("test-authority")).issue(request),
    expiredCertificate: await authority.issue({ ...request, ...past }),
  };
}
