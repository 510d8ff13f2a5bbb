// The agent follows its own Node, on a real API server: what it tells the plugin, how soon, and when it stops.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ApiServer } from "../parts/api-server.ts";
import { executables } from "../parts/plugin.ts";
import { reasonForNoRealApiServer, startRealApiServer } from "../parts/real-api-server.ts";
import { whatLacks } from "../parts/tools.ts";
import { type Host, makeHost, signOfLife, startAgent, toldNode, until, uptime } from "./parts/agent.ts";
import { startRelay } from "./parts/relay.ts";

const noServer = reasonForNoRealApiServer();
const lack = whatLacks(noServer === undefined ? {} : { missing: noServer });
const machineID = readFileSync("/etc/machine-id", "utf8").trim();

let server: ApiServer;
let folder: string;
let count = 0;
beforeAll(async () => {
  if (lack.some) return;
  folder = mkdtempSync(join(tmpdir(), "follow-"));
  server = await startRealApiServer();
}, 90_000);
afterAll(async () => {
  await server?.close();
  if (folder) rmSync(folder, { recursive: true, force: true });
});

/** A Node of its own for a test, and a kubeconfig of its kubelet. */
async function makeNode(options: { url?: string; machineID?: string } = {}) {
  const name = `node-${++count}`;
  await server.createNode({
    name,
    podCIDRs: ["10.1.0.0/24"],
    annotations: { a: "0" },
    machineID: options.machineID ?? machineID,
  });
  const kubeconfig = join(folder, `${name}.kubeconfig`);
  writeFileSync(
    kubeconfig,
    await server.kubeconfigFor({ kind: "kubelet", node: name }, options.url ? { url: options.url } : {}),
    { mode: 0o600 },
  );
  return { node: name, kubeconfig };
}

const told = (host: Host, key: string, value: string) =>
  until(() => toldNode(host)?.annotations[key] === value, `node.json has ${key}=${value}`);
const alive = (host: Host) => until(() => signOfLife(host), "there is a sign of life");

describe.skipIf(lack.some)(`the own Node${lack.words}`, () => {
  it.each(executables().map(({ label }, index) => [label, index] as const))(
    "is told to the plugin, and every change of it at once (%s)",
    async (label, executable) => {
      const host = makeHost();
      const { node, kubeconfig } = await makeNode();
      const agent = startAgent({ host, node, kubeconfig, executable });
      await told(host, "a", "0");
      const sign = await alive(host);
      expect(sign.bootID).toBe(readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim());
      expect(uptime() - sign.heardAt).toBeLessThan(5);
      expect(toldNode(host)).toEqual({
        name: node,
        uid: expect.any(String),
        machineID,
        podCIDRs: ["10.1.0.0/24"],
        annotations: { a: "0" },
      });
      for (const file of ["node.json", "alive"])
        expect(statSync(join(host.run, file)).mode & 0o777).toBe(0o600);

      const took: number[] = [];
      for (let i = 1; i <= 20; i++) {
        const before = performance.now();
        await server.setAnnotation(node, "a", String(i));
        await told(host, "a", String(i));
        took.push(performance.now() - before);
      }
      const middle = took.toSorted((one, other) => one - other)[10] as number;
      console.log(
        `annotation change to node.json, the PATCH included, ${label}: p50 ${middle.toFixed(1)} ms of ${took.length}`,
      );
      expect(middle).toBeLessThan(2000);
      expect((await agent.get("/readyz")).text).toContain("[+] follow: the plugin is told of the Node");
      expect((await agent.get("/readyz")).status).toBe(200);

      const { ino } = statSync(join(host.run, "node.json"));
      const heard = signOfLife(host)?.heardAt ?? 0;
      await until(() => (signOfLife(host)?.heardAt ?? 0) > heard, "it is heard again");
      expect(statSync(join(host.run, "node.json")).ino).toBe(ino);

      expect(await agent.stop()).toBe(0);
      expect(signOfLife(host)).toBeUndefined();
      expect(toldNode(host)?.annotations["a"]).toBe("20");
    },
  );
});
