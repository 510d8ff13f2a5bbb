// Health over HTTP: 503 where a part has come to a stand, or doesn't do what it is for; an address that is taken is waited for.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import type { Health, Part } from "../../src/daemon/part.ts";
import { type Route, startServer } from "../../src/daemon/server.ts";
import type { Log } from "../../src/host/log.ts";

/** The server with one more part, whose health is `health`, and what it said. */
async function start(port: number) {
  const said: { message: string; fields: Record<string, unknown> }[] = [];
  const write = (message: string, fields: object = {}) => void said.push({ message, fields: { ...fields } });
  const log: Log = { trace: write, debug: write, info: write, warn: write, error: write };
  const health: Health = { live: true, ready: true, words: "well" };
  const parts: Part[] = [{ name: "work", stop: async () => {}, health: () => health }];
  const routes = new Map<string, Route>();
  const { signal } = new AbortController();
  const server = await startServer({ addresses: [{ host: "127.0.0.1", port }], routes, log, signal }, parts);
  parts.push(server);
  onTestFinished(() => server.stop());
  const find = (words: string) => said.find(({ message }) => message.includes(words))?.fields;
  const address = async () => {
    await expect.poll(() => find("serving health")).toBeDefined();
    return find("serving health")?.["port"];
  };
  const get = async (path: string) => {
    const answer = await fetch(`http://127.0.0.1:${await address()}${path}`);
    return { status: answer.status, text: await answer.text() };
  };
  return { server, health, find, get };
}

it("is 200 while all is well; not ready is no reason to be restarted, a stand is", async () => {
  const { health, get } = await start(0);
  for (const path of ["/healthz", "/readyz"])
    expect(await get(path)).toEqual({ status: 200, text: "[+] work: well\n[+] server: answers\n" });
  Object.assign(health, { ready: false, words: "waits" });
  expect((await get("/healthz")).status).toBe(200);
  expect(await get("/readyz")).toEqual({ status: 503, text: "[-] work: waits\n[+] server: answers\n" });
  Object.assign(health, { live: false, words: "stands" });
  expect(await get("/healthz")).toEqual({ status: 503, text: "[-] work: stands\n[+] server: answers\n" });
});

it("knows its paths, and GET alone", async () => {
  const { get, find } = await start(0);
  expect(await get("/other")).toEqual({ status: 404, text: "known paths: /healthz /readyz\n" });
  const url = `http://127.0.0.1:${find("serving health")?.["port"]}/healthz`;
  expect((await fetch(url, { method: "POST" })).status).toBe(405);
});

it("waits for an address that another one has, says so, and takes it then", async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", () => resolve()));
  const { port } = other.address() as AddressInfo;
  const { find, get, server } = await start(port);
  await expect.poll(() => find("can't be served")).toBeDefined();
  expect(find("can't be served")).toEqual({
    reason: `127.0.0.1:${port} is taken: is another one running here?`,
  });
  expect(server.health()).toMatchObject({ live: true, ready: false });
  await new Promise((resolve) => other.close(resolve));
  expect((await get("/readyz")).status).toBe(200);
});
