// What is asked of the API server for this node's pods, and as of when they are known.
import type { ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { Registry } from "prom-client";
import { expect, it, onTestFinished } from "vitest";
import type { AgentContext } from "../../src/agent/context.ts";
import { followPods } from "../../src/agent/follow-pods.ts";
import { uptime } from "../../src/host/machine.ts";
import { createAuthority } from "../parts/certificates.ts";

const pod = (uid: string) => ({ metadata: { namespace: "default", name: `pod-${uid}`, uid } });

/** One list of one pod, after `delay` milliseconds, and one watch that says what the test says. */
async function servePods(delay: number) {
  const authority = await createAuthority("pods");
  const { certificate: cert, key } = await authority.issue({
    commonName: "server",
    ipAddresses: ["127.0.0.1"],
    usages: ["server"],
  });
  const requests: URL[] = [];
  let watch: ServerResponse | undefined;
  const server = createServer({ cert, key }, (request, response) => {
    const url = new URL(request.url ?? "", "https://x");
    requests.push(url);
    response.writeHead(200, { "content-type": "application/json" });
    if (url.searchParams.has("watch")) {
      watch = response;
      return void response.flushHeaders();
    }
    const list = { kind: "PodList", metadata: { resourceVersion: "7" }, items: [pod("a")] };
    setTimeout(() => response.end(JSON.stringify(list)), delay);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const connection = { server: `https://127.0.0.1:${port}`, ca: authority.certificate, origin: "a test" };
  return {
    connection,
    requests,
    isWatched: () => watch !== undefined,
    tell: (type: string, object: object) => void watch?.write(`${JSON.stringify({ type, object })}\n`),
    breakOff: () => void watch?.destroy(),
  };
}

it("is one list and one watch of this node's pods, known as of the list's request", async () => {
  const server = await servePods(300);
  const context = {
    config: { nodeName: "n1" },
    connect: async () => server.connection,
    metrics: new Registry(),
    signal: new AbortController().signal,
    log: { warn: () => {} },
  } as unknown as AgentContext;
  const began = uptime();
  const pods = followPods(context);
  onTestFinished(() => pods.stop());
  expect(pods.current()).toBeUndefined();
  await expect.poll(() => pods.current()?.uids).toEqual(new Set(["a"]));
  const { asOf = 0 } = pods.current() ?? {};
  expect(asOf).toBeGreaterThanOrEqual(began);
  expect(asOf, "when it was asked, not when it was answered").toBeLessThan(uptime() - 0.2);

  await expect.poll(server.isWatched).toBe(true);
  const [list, watch, ...more] = server.requests;
  expect(more).toEqual([]);
  for (const url of [list, watch]) {
    expect(url?.pathname).toBe("/api/v1/pods");
    expect(url?.searchParams.get("fieldSelector")).toBe("spec.nodeName=n1");
  }
  expect(list?.searchParams.get("resourceVersion"), "what etcd has, not what a cache had").toBeNull();
  expect(watch?.searchParams.get("resourceVersion")).toBe("7");

  server.tell("ADDED", pod("b"));
  server.tell("DELETED", pod("a"));
  await expect.poll(() => pods.current()?.uids).toEqual(new Set(["b"]));
  expect(pods.current()?.asOf, "a watch may be 30 s behind").toBe(asOf);

  server.breakOff();
  await expect.poll(() => pods.current()).toBeUndefined();
});
