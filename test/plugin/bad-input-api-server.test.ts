import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { answerFaults, connectionFaults, type Fault } from "../parts/embedded/fault.ts";
import { startEmbeddedApiServer } from "../parts/embedded-api-server.ts";
import {
  type BadCall,
  call,
  copyOfData,
  expectDiscretion,
  expectError,
  expectSameTree,
  expectSuccess,
  heldRecord,
  logOf,
  treeOf,
  type World,
} from "./bad-input.ts";
import { describeEverywhere } from "./bad-input-suite.ts";

/** What the words say of each fault; those of lists alone don't meet a call that knows its Node's name. */
const words: Record<Exclude<Fault, "expiredContinue">, RegExp> = {
  refused: /refused the connection/,
  blackHole: /did not answer within/,
  noTls: /does not agree on TLS|closed the connection|can't be talked to/,
  foreignCertificate: /a certificate of an unknown authority/,
  expiredCertificate: /a certificate that has expired/,
  silent: /did not answer within/,
  hangUp: /closed the connection without an answer/,
  slowBytes: /did not come to an end within/,
  status401: /does not accept the credentials of .* \(401\)/,
  status403: /forbids it \(403\): nodes is forbidden/,
  status404Html: /does not serve this path \(404\)/,
  status409: /refused the request \(409\)/,
  status429: /has too much to do \(429\)/,
  status500: /failed \(500\): etcdserver: request timed out/,
  status503: /failed \(503\)/,
  html: /answered with text\/html instead of JSON \(200\)/,
  truncated: /broke off its answer \(200\)/,
  oversized: /more than \d+ bytes|did not come to an end/,
  redirect: /sends elsewhere \(307/,
  garbage: /JSON that is malformed or cut off/,
  empty: /answered with nothing instead of JSON/,
  wrongKind: /answered with rubbish: no Node/,
};

const faults = [...connectionFaults, ...answerFaults].filter((fault) => fault !== "expiredContinue");
const sampled: Fault[] = ["refused", "silent", "status500", "truncated", "html"];

/** The world with a server of its own, so that several faults can be waited for at once. */
async function withFault(world: World, fault: Fault, test: (own: World, folder: string) => Promise<void>) {
  const folder = mkdtempSync(join(tmpdir(), "bad-api-"));
  const server = await startEmbeddedApiServer();
  try {
    const identity = {
      kind: "serviceAccount",
      namespace: "kube-system",
      name: "cni",
      mayRead: "all",
    } as const;
    const kubeconfig = join(folder, "kubeconfig");
    writeFileSync(kubeconfig, await server.kubeconfigFor(identity), { mode: 0o600 });
    const { token = "" } = await server.credentialsFor(identity);
    await server.createNode({ name: "node-a", podCIDRs: ["10.1.2.0/24", "fd00:1::/64"] });
    await server.fault(fault);
    await test({ ...world, server, kubeconfig, token }, folder);
  } finally {
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

describeEverywhere(
  "an API server that is no help, where nothing is known, is error 11 in time, and STATUS 50",
  (world, isSample) => {
    const timeout = isSample ? 4 : 3;
    const start = isSample ? 3000 : 1000; // what a loaded machine may take to start a program

    it.concurrent.each(choose(isSample))("%s", async (fault) => {
      await withFault(world(), fault, async (own, folder) => {
        const dataDir = copyOfData(own, folder);
        const before = treeOf(dataDir);
        const bad: BadCall = { ipam: { timeout }, network: { name: "unknown" } };
        // An attempt whose time was nearly over when it began says no more than that.
        const late = /did not answer within 0\.\d s/;
        const reason = new RegExp(`${words[fault].source}|${late.source}`);
        const says = [
          /the Node's address ranges are not known/,
          /the API server https:\/\/127\.0\.0\.1:\d+/,
          reason,
        ];
        const added = await call(own, "ADD", "c-new", bad, dataDir);
        expectError(own, added, 11, says);
        const unheard = { ...bad, network: { name: "unknown", cniVersion: "1.1.0" } };
        const status = await call(own, "STATUS", "c-new", unheard, dataDir);
        expectError(own, status, 50, says);
        for (const { milliseconds } of [added, status])
          expect(milliseconds).toBeLessThan(timeout * 1000 + start);
        expectSuccess(own, await call(own, "DEL", "c-none", bad, dataDir));
        const log = logOf(dataDir);
        if (/asking again/.test(log)) expect(log).toMatch(words[fault]);
        expectDiscretion(own, added, log);
        expectSameTree(before, treeOf(dataDir));
      });
    });
  },
  { hostLocals: "one" }, // seconds for each fault, and host-local is never reached: DELs find nothing to free
);

describeEverywhere(
  "an API server that is no help, where ranges are known, is a warning",
  (world, isSample) => {
    it.concurrent.each(choose(isSample))("%s", async (fault) => {
      await withFault(world(), fault, async (own, folder) => {
        const dataDir = copyOfData(own, folder);
        const before = treeOf(dataDir);
        const bad: BadCall = { ipam: { timeout: isSample ? 15 : 5, cacheTTL: 0 } };
        const added = await call(own, "ADD", "c-new", bad, dataDir);
        expectSuccess(own, added);
        expect(added.json).toMatchObject({ ips: [{ address: "10.1.2.3/24" }, { address: "fd00:1::3/64" }] });
        const warning = logOf(dataDir)
          .split("\n")
          .find((line) => line.includes("last-known ranges"));
        expect(JSON.parse(warning ?? "{}")).toMatchObject({
          level: 40,
          reason: expect.stringMatching(words[fault]),
        });
        expectDiscretion(own, added, logOf(dataDir));
        const asked = own.server.connections();
        expectSuccess(own, await call(own, "CHECK", "c-new", bad, dataDir));
        for (const id of ["c-new", "c-live"]) expectSuccess(own, await call(own, "DEL", id, bad, dataDir));
        expect(own.server.connections()).toBe(asked);
        const gone = Object.keys(before).filter(
          (name) => name === heldRecord || /^net1\/(?:10|fd00)/.test(name),
        );
        expectSameTree(withoutLast(before), withoutLast(treeOf(dataDir)), { gone });
      });
    });
  },
);

function choose(isSample: boolean): Exclude<Fault, "expiredContinue">[] {
  return isSample ? faults.filter((fault) => sampled.includes(fault)) : faults;
}

/** host-local's note of the address that it gave last goes on with every ADD. */
function withoutLast(tree: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(tree).filter(([name]) => !name.includes("/last_reserved_ip.")));
}
