import { isStatus, unlessAbsent } from "../kube/api-error.ts";
import type { Client } from "../kube/client.ts";
import { isObject } from "../text/json.ts";
import { isFresh, isOver, makeCertificate, type Pair, type ServerNames } from "./certificate.ts";

/** The Secret that all replicas read, and what their certificate says. */
export type Keeping = { namespace: string; secret: string; names: ServerNames; lifetimeMs: number };

/** What is served, and what the API server is to trust: the one before too, while another replica may still show it. */
export type Kept = { pair: Pair; bundle: string };

const previousKey = "previous.crt";
const attempts = 5;

/** The Secret's pair; made anew where there is none, or where it ends soon. Of two replicas that make one, the second takes the first's. */
export async function keepPair(client: Client, keeping: Keeping, now: Date): Promise<Kept> {
  for (let attempt = 1; ; attempt++) {
    const secret = await read(client, keeping);
    const kept = readKept(secret, now);
    if (kept && isFresh(kept.pair, keeping.names, now)) return kept;
    try {
      const pair = await makeCertificate(keeping.names, now, keeping.lifetimeMs);
      const previous = kept?.pair.certificate ?? "";
      await write(client, keeping, secret, pair, previous);
      return { pair, bundle: pair.certificate + previous };
    } catch (error) {
      if (!isStatus(error, 409) || attempt === attempts) throw error;
    }
  }
}

type Secret = { metadata: object; data?: unknown };

const list = ({ namespace }: Keeping) => `/api/v1/namespaces/${namespace}/secrets`;

function read(client: Client, keeping: Keeping): Promise<Secret | undefined> {
  return unlessAbsent(client.get<Secret>(`${list(keeping)}/${keeping.secret}`));
}

async function write(
  client: Client,
  keeping: Keeping,
  before: Secret | undefined,
  { certificate, key }: Pair,
  previous: string,
): Promise<void> {
  const data = { "tls.crt": encode(certificate), "tls.key": encode(key), [previousKey]: encode(previous) };
  if (before) {
    // The resourceVersion is in its metadata: who read an older one is refused.
    await client.replace(`${list(keeping)}/${keeping.secret}`, { ...before, data });
    return;
  }
  const metadata = { name: keeping.secret, namespace: keeping.namespace };
  await client.create(list(keeping), {
    apiVersion: "v1",
    kind: "Secret",
    metadata,
    type: "kubernetes.io/tls",
    data,
  });
}

function readKept(secret: Secret | undefined, now: Date): Kept | undefined {
  const data = isObject(secret?.data) ? secret.data : {};
  const [certificate, key, previous] = ["tls.crt", "tls.key", previousKey].map((name) => decode(data[name]));
  if (!certificate || !key || isOver({ certificate }, now)) return undefined;
  const isKnown = previous && !isOver({ certificate: previous }, now);
  return { pair: { certificate, key }, bundle: certificate + (isKnown ? previous : "") };
}

function encode(text: string): string {
  return Buffer.from(text).toString("base64");
}

function decode(text: unknown): string | undefined {
  return typeof text === "string" ? Buffer.from(text, "base64").toString() : undefined;
}
