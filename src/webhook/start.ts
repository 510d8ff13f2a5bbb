import { setTimeout as pause } from "node:timers/promises";
import { makeBackOff } from "../daemon/back-off.ts";
import type { Address } from "../daemon/flags.ts";
import type { Part } from "../daemon/part.ts";
import { readText } from "../host/files.ts";
import type { Log } from "../host/log.ts";
import type { Client } from "../kube/client.ts";
import { type AdmissionServer, type Judge, serveAdmission } from "./admission-server.ts";
import { tellAuthority } from "./authority.ts";
import type { Pair } from "./certificate.ts";
import { type Keeping, keepPair } from "./kept-pair.ts";
import { type Known, makeKnown } from "./known.ts";
import { review } from "./review.ts";

/** Files that somebody else renews (cert-manager), or one that is made here and kept in a Secret, its authority in a configuration. */
export type CertificateSource =
  | { certificateFile: string; keyFile: string }
  | (Keeping & { configuration: string });

export type WebhookOptions = {
  client: Client;
  address: Address;
  source: CertificateSource;
  log: Log;
  /** What pools are compared with; asked for at each change of a pool. The API server's word where it isn't given. */
  known?: () => Promise<Known>;
  /** How often the certificate is looked at; milliseconds. */
  checkEvery?: number;
  now?: () => Date;
};

/** `port` is 0 until the first certificate is there. */
export type Webhook = Part & { readonly port: number };

const usualCheck = 30_000;

/** Answers the API server about IPPools and CIDRPools. A certificate that can't be had is tried again; one that changed is served at once. */
export async function startWebhook(options: WebhookOptions): Promise<Webhook> {
  const { client, address, source, log, checkEvery = usualCheck, now = () => new Date() } = options;
  const known = options.known ?? makeKnown(client);
  const judge: Judge = (request, patienceMs) => review(request, known, patienceMs);
  let served: { pair: Pair; server: AdmissionServer } | undefined;
  let fault = "there is no certificate yet";
  let port = 0;

  async function check(): Promise<void> {
    try {
      const pair = await readPair(client, source, now());
      if (served?.pair.certificate !== pair.certificate || served.pair.key !== pair.key) await serve(pair);
      fault = "";
    } catch (error) {
      const { message } = error as Error;
      if (message !== fault) log.warn("the webhook's certificate can't be had", { reason: message });
      fault = message;
    }
  }

  async function serve(pair: Pair): Promise<void> {
    // A bad pair is noticed before the good one's server ends: Bun's servers can't change their certificate.
    const draft = await serveAdmission({ ...address, port: 0 }, pair, judge);
    await draft.close();
    await served?.server.close();
    served = undefined;
    const server = await serveAdmission({ ...address, port: address.port || port }, pair, judge);
    served = { pair, server };
    port = server.port;
    log.info("the webhook answers", { address: address.host, port });
  }

  const ending = new AbortController();
  const { signal } = ending;
  const backOff = makeBackOff(1000, checkEvery);
  await check();
  const checking = (async () => {
    while (!signal.aborted) {
      if (fault === "") {
        backOff.reset();
        await pause(checkEvery, undefined, { signal }).catch(() => {});
      } else await backOff.wait(signal);
      if (!signal.aborted) await check();
    }
  })();
  return {
    name: "webhook",
    get port() {
      return port;
    },
    stop: async () => {
      ending.abort();
      await checking;
      await served?.server.close();
      served = undefined;
    },
    health: () => ({ live: true, ready: served !== undefined, words: fault || "answers" }),
  };
}

async function readPair(client: Client, source: CertificateSource, now: Date): Promise<Pair> {
  if ("certificateFile" in source) {
    return { certificate: readFile(source.certificateFile), key: readFile(source.keyFile) };
  }
  const { pair, bundle } = await keepPair(client, source, now);
  // Before it is served: the API server must trust what it is shown.
  await tellAuthority(client, source.configuration, bundle);
  return pair;
}

function readFile(path: string): string {
  const text = readText(path);
  if (text === undefined) throw new Error(`${path} isn't there: is it mounted?`);
  return text;
}
