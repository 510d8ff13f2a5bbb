import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Listening, startSecureServer } from "../kube/strange-servers.ts";
import { createAuthority } from "../parts/certificates.ts";
import { formatKubeconfig } from "../parts/kubeconfig.ts";
import { nodeName } from "../parts/many-nodes.ts";
import { executables } from "../parts/plugin.ts";
import { firstProgram, inPath, whatLacks } from "../parts/tools.ts";

const time = firstProgram(["/usr/bin/time", ...inPath("time")], "GNU time");
const lack = whatLacks(time);
const nodes = 5000;
const podsOfNode = 20;

/** As in many-nodes.test.ts. */
const mebibytes = 300;

// A real API server would need many minutes to take in so many pods, so this one makes them up page by page.
describe.skipIf(lack.some)(`100,000 pods on 5,000 nodes${lack.words}`, () => {
  const folder = mkdtempSync(join(tmpdir(), "many-pods-"));
  const kubeconfig = join(folder, "kubeconfig");
  let server: Listening;

  beforeAll(async () => {
    const authority = await createAuthority("test");
    server = await startSecureServer(authority, ({ url = "/" }, response) => {
      const { pathname, searchParams } = new URL(url, "https://server");
      const make = { "/api/v1/nodes": makeNode, "/api/v1/pods": makePod }[pathname];
      const count = pathname === "/api/v1/nodes" ? nodes : nodes * podsOfNode;
      if (make) answerPage(response, searchParams, count, make);
      else
        response
          .writeHead(404, { "content-type": "application/json" })
          .end('{"kind": "Status", "reason": "NotFound", "message": "no"}');
    });
    const url = `https://127.0.0.1:${server.port}`;
    writeFileSync(
      kubeconfig,
      await formatKubeconfig({ url, authority: authority.certificate }, { token: "t" }),
    );
  });
  afterAll(() => {
    server.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function measure(words: string) {
    const report = join(folder, "time");
    const [file = ""] = executables()[0]?.command("kubectl-kube_node") ?? [];
    const options = {
      env: { KUBECONFIG: kubeconfig },
      cwd: folder,
      reject: false,
      maxBuffer: 1 << 30,
    } as const;
    const timed = ["-f", "%M", "-o", report, file, ...words.split(" ")];
    const { exitCode, stdout, stderr } = await execa(time.path ?? "", timed, options);
    const kibibytes = Number(readFileSync(report, "utf8").trim().split("\n").at(-1));
    return { exitCode, stdout, stderr, mebibytes: kibibytes / 1024 };
  }

  const all = `${nodes} nodes, ${nodes} ranges, ${nodes * podsOfNode} addresses: nothing is wrong`;
  const last = nodeName(nodes - 1);
  it.each([
    ["list -o json", "stdout", `"node": "${last}"`],
    ["verify", "stderr", all],
    ["map", "stdout", "5,000 nodes, 100,000 of"],
    ["map --svg -", "stdout", last],
    ["map --html -", "stdout", last],
    ["explain 10.0.0.2", "stdout", `team-0/deployment-0-7f9c6b5d4-x2x0z on ${nodeName(0)}`],
    ["annotate --all example.com/net1-", "stdout", `node/${last} unchanged`],
    ["bundle -o bundle.tar.gz", "stdout", "bundle.tar.gz"],
  ] as const)(
    `%s works in under ${mebibytes} MiB`,
    async (words, stream, expected) => {
      const result = await measure(words);
      expect({ exitCode: result.exitCode, stderr: result.stderr }).toMatchObject({ exitCode: 0 });
      expect(result[stream]).toContain(expected);
      expect(result.mebibytes).toBeLessThan(mebibytes);
    },
    120_000,
  );
});

function answerPage(
  response: ServerResponse,
  query: URLSearchParams,
  count: number,
  make: (index: number) => object,
): void {
  const from = Number(query.get("continue") ?? 0);
  const to = Math.min(count, from + Number(query.get("limit")));
  const items = Array.from({ length: to - from }, (_, i) => make(from + i));
  const metadata = to < count ? { continue: String(to), remainingItemCount: count - to } : {};
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ metadata, items }));
}

function makeNode(index: number): object {
  return {
    metadata: {
      name: nodeName(index),
      resourceVersion: String(index),
      annotations: { filling: "x".repeat(2000) },
    },
    spec: { podCIDRs: [`10.${index >> 8}.${index & 255}.0/24`] },
  };
}

/** A pod has some kilobytes that nobody asks for here. */
function makePod(index: number): object {
  const node = Math.floor(index / podsOfNode);
  return {
    metadata: {
      namespace: `team-${index % 50}`,
      name: `deployment-${index}-7f9c6b5d4-x2x${index % 10}z`,
      annotations: { filling: "x".repeat(8000) },
    },
    spec: { nodeName: nodeName(node), containers: [{ name: "main", image: "registry.example/image:1" }] },
    status: {
      phase: "Running",
      startTime: "2026-01-02T03:04:05Z",
      podIPs: [{ ip: `10.${node >> 8}.${node & 255}.${2 + (index % podsOfNode)}` }],
    },
  };
}
