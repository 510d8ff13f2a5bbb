// Secrets stay where they are: a canary in every token, key, password and plugin's output, every way to fail, and then a look at
// all that the calls have written, on the highest level of the log.
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { startSecureServer } from "../kube/strange-servers.ts";
import { createAuthority, type Issued } from "../parts/certificates.ts";
import type { Fault } from "../parts/embedded/fault.ts";
import { type EmbeddedApiServer, startEmbeddedApiServer } from "../parts/embedded-api-server.ts";
import type { PluginAnswer } from "../parts/plugin.ts";
import { beginOutage } from "../real/parts/outage.ts";
import { makeWorker, type Worker } from "../real/parts/worker.ts";
import { base64, canaries, type Given, hidingPlaces, put } from "./secrets.ts";
import { describeOne } from "./subject.ts";
import { treeOf } from "./tree.ts";

let server: EmbeddedApiServer;
let client: Issued;
beforeAll(async () => {
  server = await startEmbeddedApiServer();
  client = await (await createAuthority("clients")).issue({ commonName: "x", usages: ["client"] });
});
afterAll(() => server?.close());

/** Ways to fail behind the credentials, each for another reason. */
const faults: (Fault | "no annotation" | "a malformed annotation" | "no delegate" | "no Node")[] = [
  "status401",
  "status403",
  "status500",
  "hangUp",
  "no annotation",
  "a malformed annotation",
  "no delegate",
  "no Node",
];

describeOne("secrets", (subject) => {
  async function prepare(place: string) {
    const worker = await makeWorker(server, subject, {
      podCIDRs: ["10.1.0.0/24"],
      annotations: { malformed: "rubbish" },
    });
    const secrets = join(worker.folder, "secrets");
    mkdirSync(secrets, { mode: 0o700 });
    const given = hidingPlaces[place]?.(secrets, client) as Given;
    const cluster = {
      server: server.url,
      "certificate-authority-data": base64(server.authority),
      ...given.cluster,
    };
    const named = (name: string, key: string, value: object) => [{ name, [key]: value }];
    const kubeconfig = put(
      secrets,
      "kubeconfig",
      stringify({
        apiVersion: "v1",
        kind: "Config",
        clusters: named("a", "cluster", cluster),
        users: named("a", "user", given.user),
        contexts: named("a", "context", { cluster: "a", user: "a" }),
        "current-context": "a",
      }),
    );
    return { worker, secrets, kubeconfig, env: given.env ?? {} };
  }

  /** All that a call has left or said; what the test itself put there lies in `secrets`. */
  function expectSilence(worker: Worker, answers: PluginAnswer[]): void {
    const tree = Object.entries(treeOf(worker.folder)).filter(([name]) => !name.startsWith("secrets"));
    const all = [...answers.flatMap(({ stdout, stderr }) => [stdout, stderr]), ...tree.flat()];
    expect(all.length).toBeGreaterThan(answers.length * 2);
    const keys = client.key.split("\n").slice(1, -2);
    for (const text of all) for (const secret of [...canaries, ...keys]) expect(text).not.toContain(secret);
  }

  it.each(Object.keys(hidingPlaces))("%s", async (place) => {
    const { worker, kubeconfig, env } = await prepare(place);
    const answers: PluginAnswer[] = [];
    const call = async (verb: string, ipam: Record<string, unknown>) => {
      const difference = {
        env,
        ipam: { kubeconfig, loglevel: "trace", timeout: 2, nodeName: worker.name, ...ipam },
      };
      answers.push(await worker.call(verb, { ...difference, config: { cniVersion: "1.1.0" } }));
    };
    await call("ADD", {});
    await call("ADD", { kubeconfig: undefined, timeout: "x" });
    await call("DEL", {});
    expect(answers[0]?.exitCode).toBe(1);
    expectSilence(worker, answers);
  });

  describe.each(["a token", "an exec plugin's token"])("%s, refused or not", (place) => {
    it.each(faults)("%s", async (fault) => {
      const { worker, kubeconfig, env } = await prepare(place);
      const ways: Record<string, Record<string, unknown>> = {
        "no annotation": { annotation: "none" },
        "a malformed annotation": { annotation: "malformed" },
        "no delegate": { nextipam: "nowhere" },
        "no Node": { nodeName: "nobody" },
      };
      if (!(fault in ways)) await beginOutage(server, fault as Fault);
      const ipam = { kubeconfig, loglevel: "trace", timeout: 2, nodeName: worker.name, ...ways[fault] };
      expectSilence(worker, [await worker.call("ADD", { env, ipam })]);
    });
  });

  it("a server that repeats what it was told", async () => {
    const { worker, secrets } = await prepare("a token");
    const authority = await createAuthority("parrots");
    const statuses = [200, 307, 400, 401, 403, 404, 409, 429, 500, 503];
    let status = 200;
    const parrot = await startSecureServer(authority, (request, response) => {
      const told = request.headers.authorization ?? "";
      const token = told.replace("Bearer ", "");
      const message = `${told} and again ${token} ${JSON.stringify(token)}`;
      response.writeHead(status, {
        "content-type": status === 409 ? token : "application/json",
        location: `https://${token}@127.0.0.1/${token}`,
        "retry-after": "0",
      });
      response.end(
        JSON.stringify({
          kind: "Status",
          apiVersion: "v1",
          status: "Failure",
          reason: "NotFound",
          message,
          details: { name: worker.name, causes: [{ message }] },
          metadata: { name: token },
        }),
      );
    });
    const url = `https://127.0.0.1:${parrot.port}`;
    const text = readFileSync(join(secrets, "kubeconfig"), "utf8");
    const kubeconfig = put(
      secrets,
      "parrot",
      text
        .replace(server.url, url)
        .replace(/(certificate-authority-data: ).*\n(?: {8,}.*\n)*/, `$1${base64(authority.certificate)}\n`),
    );
    try {
      for (status of statuses) {
        const answer = await worker.call("ADD", {
          id: `c${status}`,
          ipam: { kubeconfig, loglevel: "trace", timeout: 2, nodeName: worker.name },
        });
        expect(answer.exitCode).toBe(1);
        expect(answer.stdout).not.toContain("unknown authority");
        expectSilence(worker, [answer]);
      }
    } finally {
      parrot.close();
    }
  });
});
