// What befalls a watch: its end, lost history, GOAWAY, replaced tokens and authorities, a proxy, a server without HTTP/2.
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import { executables } from "../parts/plugin.ts";
import { type Host, makeHost, signOfLife, startAgent, toldNode, until } from "./parts/agent.ts";
import { type NodeServer, startNodeServer, startOldServer } from "./parts/node-server.ts";

const machineID = readFileSync("/etc/machine-id", "utf8").trim();

function describeNode(value: string): Record<string, unknown> {
  const metadata = { name: "n1", uid: "u1", annotations: { a: value } };
  return { kind: "Node", metadata, spec: { podCIDRs: ["10.1.0.0/24"] }, status: { nodeInfo: { machineID } } };
}

/** An agent that has heard the server. */
async function begin(
  server: NodeServer,
  { text, executable = 0 }: { text?: string; executable?: number } = {},
) {
  const host = makeHost();
  const kubeconfig = join(host.root, "kubeconfig");
  writeFileSync(kubeconfig, text ?? (await server.kubeconfig()), { mode: 0o600 });
  const agent = startAgent({ host, node: "n1", kubeconfig, executable, args: ["--credentials=none"] });
  await until(
    () => signOfLife(host),
    () => `there is a sign of life; the agent said ${JSON.stringify(agent.lines())}`,
  );
  return { host, agent, kubeconfig };
}

const told = (host: Host, value: string) =>
  until(() => toldNode(host)?.annotations["a"] === value, `node.json has a=${value}`, 30_000);
const newer = async (host: Host) => {
  const heardAt = signOfLife(host)?.heardAt ?? 0;
  await until(() => (signOfLife(host)?.heardAt ?? 0) > heardAt + 0.5, "it is heard again", 30_000);
};

describe.each(executables().map(({ label }, executable) => ({ label, executable })))(
  "a watch ($label)",
  ({ executable }) => {
    it("asks twice at its start, for its own Node alone, and for half an hour or more", async () => {
      const server = await startNodeServer(describeNode("0"));
      const { host } = await begin(server, { executable });
      await newer(host);
      expect(server.requests).toHaveLength(2);
      const [list, watch] = server.requests.map((path) => new URL(path, server.url));
      for (const url of [list, watch])
        expect(url?.searchParams.get("fieldSelector")).toBe("metadata.name=n1");
      expect(watch?.searchParams.get("resourceVersion")).toBe("100");
      expect(Number(watch?.searchParams.get("timeoutSeconds"))).toBeGreaterThanOrEqual(1800);
    });

    it("that the server ends goes on where it was, with one request", async () => {
      const server = await startNodeServer(describeNode("0"));
      const { host } = await begin(server, { executable });
      server.send("MODIFIED", describeNode("1"));
      await told(host, "1");
      server.send("BOOKMARK", { kind: "Node" });
      const before = server.requests.length;
      server.endWatch();
      await until(() => server.requests.length > before, "it watches again");
      expect(
        server.requests
          .slice(before)
          .map((path) => new URL(path, server.url).searchParams.get("resourceVersion")),
      ).toEqual(["102"]);
      server.send("MODIFIED", describeNode("2"));
      await told(host, "2");
    });

    it("that the server ends at once, again and again, is asked for less and less often", async () => {
      const server = await startNodeServer(describeNode("0"));
      const { host } = await begin(server, { executable });
      await newer(host);
      const before = server.requests.length;
      const ending = setInterval(() => server.endWatch(), 20);
      await sleep(6000);
      clearInterval(ending);
      server.endWatch(); // One that was begun since the last turn would stand.
      const asked = server.requests.length;
      expect(asked - before).toBeLessThan(8);
      await until(() => server.requests.length > asked, "it watches again", 30_000);
      server.send("MODIFIED", describeNode("1"));
      await told(host, "1");
    }, 60_000);

    it("whose history is lost (410) lists anew", async () => {
      const server = await startNodeServer(describeNode("0"));
      const { host } = await begin(server, { executable });
      server.node = describeNode("1");
      const before = server.requests.length;
      server.send("ERROR", { kind: "Status", code: 410, message: "too old resource version" });
      await told(host, "1");
      expect(server.requests.slice(before)[0]).not.toContain("watch=true");
    });

    it("is taken up on another connection after GOAWAY", async () => {
      const server = await startNodeServer(describeNode("0"));
      const { host, agent } = await begin(server, { executable });
      server.node = describeNode("1");
      server.goAway();
      await told(host, "1");
      await agent.said("ends its connections: it is stopping, or sheds load");
      await newer(host);
    });

    it("uses the token that is there now", async () => {
      const server = await startNodeServer(describeNode("0"));
      const host = makeHost();
      const tokenFile = join(host.root, "token");
      writeFileSync(tokenFile, "one\n", { mode: 0o600 });
      const { host: ours, agent } = await begin(server, {
        executable,
        text: await server.kubeconfig({ tokenFile }),
      });
      rmSync(tokenFile);
      server.endWatch();
      expect((await agent.said("tokenFile")).reason).toContain(`${tokenFile} is absent`);
      writeFileSync(tokenFile, "one\n", { mode: 0o600 });
      await newer(ours);
      server.token = "two";
      server.endWatch();
      const { reason } = await agent.said("does not accept the credentials");
      expect(reason).not.toContain("one");
      server.node = describeNode("1");
      writeFileSync(tokenFile, "two\n", { mode: 0o600 });
      await told(ours, "1");
      await newer(ours);
    });

    it("trusts the authority that is there now, and no other", async () => {
      const server = await startNodeServer(describeNode("0"));
      const { host, agent, kubeconfig } = await begin(server, { executable });
      await server.replaceAuthority();
      await agent.said("certificate");
      server.node = describeNode("1");
      writeFileSync(kubeconfig, await server.kubeconfig(), { mode: 0o600 });
      await told(host, "1");
      await newer(host);
    });

    it("goes through a proxy", async () => {
      const server = await startNodeServer(describeNode("0"));
      const targets: string[] = [];
      const proxy = createServer().on("connect", (request, socket) => {
        targets.push(String(request.url));
        const back = connect(Number(new URL(server.url).port), "127.0.0.1");
        socket.write("HTTP/1.1 200 OK\r\n\r\n");
        for (const end of [socket, back]) end.on("error", () => {});
        socket.pipe(back).pipe(socket);
        onTestFinished(() => void back.destroy());
      });
      await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", () => resolve()));
      onTestFinished(() => void proxy.close());
      const where = `proxy-url: http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
      const text = (await server.kubeconfig()).replace("server:", `${where}\n      server:`);
      const { host } = await begin(server, { executable, text });
      server.send("MODIFIED", describeNode("1"));
      await told(host, "1");
      // Other parts ask there, too.
      expect(new Set(targets)).toEqual(new Set([new URL(server.url).host]));
    });

    it("can't be with a server that knows HTTP/1.1 alone: it says so, and the plugin asks itself", async () => {
      const { kubeconfig: text } = await startOldServer();
      const host = makeHost();
      const kubeconfig = join(host.root, "kubeconfig");
      writeFileSync(kubeconfig, text, { mode: 0o600 });
      const agent = startAgent({ host, node: "n1", kubeconfig, executable, args: ["--credentials=none"] });
      const { reason } = await agent.said("the API server is not heard");
      expect(reason).toContain("speaks no HTTP/2, so that its silence can't be told from its death");
      expect(signOfLife(host)).toBeUndefined();
    });

    it("of rubbish is trouble, and nothing is told", async () => {
      const server = await startNodeServer({ kind: "Node", metadata: { name: "n2", uid: "u" } });
      const host = makeHost();
      const kubeconfig = join(host.root, "kubeconfig");
      writeFileSync(kubeconfig, await server.kubeconfig(), { mode: 0o600 });
      const agent = startAgent({ host, node: "n1", kubeconfig, executable, args: ["--credentials=none"] });
      await agent.said("the API server sent no Node that can be read, or another than n1");
      expect([toldNode(host), signOfLife(host)]).toEqual([undefined, undefined]);
    });
  },
);
