import { readFileSync } from "node:fs";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eachAtOnce } from "../../src/kube/at-once.ts";
import { createNamespace, createPod } from "../parts/cluster-objects.ts";
import { createManyNodes, nodeName } from "../parts/many-nodes.ts";
import { executables } from "../parts/plugin.ts";
import { reasonForNoRealApiServer } from "../parts/real-api-server.ts";
import { firstProgram, inPath, whatLacks } from "../parts/tools.ts";
import { openSite, type Site } from "./kubectl.ts";

const missing = reasonForNoRealApiServer();
const time = firstProgram(["/usr/bin/time", ...inPath("time")], "GNU time");
const lack = whatLacks(missing === undefined ? {} : { missing }, time);
const count = 5000;
const key = "example.com/net1";

/** Above this it doesn't fit beside other things on an administrator's machine (issue: 5,000 nodes in under 300 MiB). */
const mebibytes = 300;

describe.skipIf(lack.some)(`5,000 nodes on a real API server${lack.words}`, () => {
  let site: Site;

  beforeAll(async () => {
    site = await openSite();
    await createNamespace(site.admin, "default");
    await createManyNodes(site.admin, count, (index) => ({
      annotations: { [key]: `172.${16 + (index >> 8)}.${index & 255}.0/24` },
      podCIDRs: [`10.${index >> 8}.${index & 255}.0/24`],
    }));
    await eachAtOnce([...Array(200).keys()], 16, (index) =>
      createPod(site.admin, { name: `pod-${index}`, node: nodeName(index), ips: [`10.0.${index}.2`] }),
    );
  }, 180_000);
  afterAll(() => site?.close());

  async function measure(words: string) {
    const report = `${site.folder}/time`;
    const [file = ""] = executables()[0]?.command("kubectl-kube_node") ?? [];
    const env = { KUBECONFIG: await site.kubeconfigFor({ kind: "admin" }) };
    const result = await execa(time.path ?? "", ["-f", "%M", "-o", report, file, ...words.split(" ")], {
      env,
      reject: false,
    });
    const kibibytes = Number(readFileSync(report, "utf8").trim().split("\n").at(-1));
    return { ...result, mebibytes: kibibytes / 1024 };
  }

  it.each([
    ["list", "table"],
    ["list -o json", "json"],
  ])(`%s shows them all, in under ${mebibytes} MiB`, async (words, format) => {
    const result = await measure(words);
    expect(result.exitCode).toBe(0);
    const listed =
      format === "json"
        ? (JSON.parse(result.stdout) as { items: object[] }).items.length
        : result.stdout.split("\n").length - 1;
    expect(listed).toBe(2 * count);
    expect(result.mebibytes).toBeLessThan(mebibytes);
  });

  it.each(["map", "map --html -", "map --svg -"])(
    `%s draws them all, in under ${mebibytes} MiB`,
    async (words) => {
      const started = performance.now();
      const result = await measure(words);
      console.log(
        `${words}: ${Math.round(performance.now() - started)} ms, ${Math.round(result.mebibytes)} MiB`,
      );
      expect(result.exitCode).toBe(0);
      expect(result.mebibytes).toBeLessThan(mebibytes);
      if (words === "map") expect(result.stdout).toContain("5,000 nodes");
      else expect(result.stdout).toContain(nodeName(count - 1));
    },
  );

  it(`verify looks at them all, in under ${mebibytes} MiB`, async () => {
    const result = await measure("verify");
    expect(result.stderr).toContain(`${count} nodes, ${2 * count} ranges, 200 addresses: nothing is wrong`);
    expect(result.exitCode).toBe(0);
    expect(result.mebibytes).toBeLessThan(mebibytes);
  });

  it("a range for all of them is refused in a few lines", async () => {
    const { exitCode, stderr } = await measure(`annotate --all example.com/net2=192.168.0.0/24`);
    expect(exitCode).toBe(1);
    expect(stderr).toContain("… and 4989 more");
    expect(stderr.split("\n").length).toBeLessThan(20);
  });
});
