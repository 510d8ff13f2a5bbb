import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createNamespace, createNetwork, createPod, defineNetworks } from "../parts/cluster-objects.ts";
import { executables } from "../parts/plugin.ts";
import { reasonForNoRealApiServer } from "../parts/real-api-server.ts";
import { inPath, whatLacks } from "../parts/tools.ts";
import { openSite, type Site } from "./kubectl.ts";

const missing = reasonForNoRealApiServer();
const lack = whatLacks(missing === undefined ? {} : { missing });
const script = inPath("script").find((path) => existsSync(path));
const terminal = whatLacks(script ? {} : { missing: "script (util-linux)" });
const key = "example.com/net1";

describe.skipIf(lack.some)(`kubectl kube-node map on a real API server${lack.words}`, () => {
  let site: Site;

  beforeAll(async () => {
    site = await openSite();
    const { admin, api } = site;
    const annotations = [
      "172.20.0.0/26,fd00:1::/64",
      "172.20.0.64/26,fd00:1:0:1::/64",
      "172.20.0.64/27",
      "172.20/24",
    ];
    for (const [at, annotation] of annotations.entries())
      await api.createNode({
        name: `node-${at}`,
        ...(at < 3 && { podCIDRs: [`10.1.${at}.0/24`] }),
        annotations: { [key]: annotation },
        labels: { zone: at < 2 ? "1" : "2" },
      });
    await defineNetworks(admin);
    await createNamespace(admin, "default");
    const ipam = { type: "kube-node", annotation: key };
    await createNetwork(admin, "default/net1", { cniVersion: "1.0.0", name: "net1", type: "bridge", ipam });
    for (let at = 2; at < 40; at++)
      await createPod(admin, {
        name: `pod-${at}`,
        node: "node-0",
        ips: [`10.1.0.${at}`],
        attachments: { "default/net1": [`172.20.0.${at}`, `fd00:1::${at.toString(16)}`] },
      });
    await createPod(admin, {
      name: "stray",
      node: "node-1",
      attachments: { "default/net1": ["172.20.0.130"] },
    });
  }, 90_000);
  afterAll(() => site?.close());

  it.each(executables())("draws an annotation's ranges ($label)", async ({ command }) => {
    const program = command("kubectl-kube_node");
    const env = { LANG: "C.UTF-8" };
    const { stdout, stderr, exitCode } = await site.run(
      `map ${key} --cidr 172.20.0.0/24 --cidr fd00:1::/62`,
      {
        program,
        env,
      },
    );
    expect({ stderr, exitCode }).toEqual({ stderr: "", exitCode: 0 });
    await expect(`${stdout}\n`).toMatchFileSnapshot("map.txt");
  });

  it("draws what most nodes have, and says what else there is", async () => {
    const { stdout, stderr, exitCode } = await site.run("map --ascii --width 60 --height 30 -l zone=1");
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^(spec\.podCIDRs|example\.com\/net1): /);
    expect(stderr).toMatch(/^note: this is \S+; there are also: \S+$/);
    expect(stdout).toMatch(/^[\n -~]*$/);
    for (const line of stdout.split("\n")) expect(line.length).toBeLessThanOrEqual(60);
  });

  it.skipIf(terminal.some)(
    `draws on a terminal without a size as on one of 80 by 24${terminal.words}`,
    async () => {
      const kubeconfig = await site.kubeconfigFor({ kind: "admin" });
      const program = executables()[0]?.command("kubectl-kube_node").join(" ");
      const drawOn = async (rows: number, columns: number) => {
        const command = `stty rows ${rows} cols ${columns}; ${program} map ${key}`;
        const { stdout } = await execa(script as string, ["-qec", command, "/dev/null"], {
          env: { KUBECONFIG: kubeconfig, TERM: "xterm", LANG: "C.UTF-8" },
        });
        return stdout;
      };
      const picture = await drawOn(0, 0);
      expect(picture).toContain("MOST USED");
      expect(picture).toBe(await drawOn(24, 80));
    },
  );

  it("writes an SVG and a page", async () => {
    const [svg, html] = [join(site.folder, "map.svg"), join(site.folder, "map.html")];
    const { stdout, stderr, exitCode } = await site.run(["map", key, "--svg", svg, "--html", html]);
    expect({ stdout, stderr, exitCode }).toEqual({
      stdout: "",
      stderr: `wrote ${svg}\nwrote ${html}`,
      exitCode: 0,
    });
    expect(readFileSync(svg, "utf8")).toContain(
      "<title>node-0 172.20.0.0/26: 38 of 61 addresses used (62 %)</title>",
    );
    expect(readFileSync(html, "utf8")).toContain('"pod-17"');
    expect((await site.run(["map", key, "--svg", "-"])).stdout).toBe(readFileSync(svg, "utf8").trimEnd());
  });

  it.each([
    ["map --cidr 10.0.0.0", 2, '--cidr "10.0.0.0": expected a network such as 172.20.0.0/16'],
    ["map --width 3", 2, '"3" is no size: expected a number from 10 to 9999'],
    ["map one two", 2, "too many arguments"],
    ["map --html /no/such/folder/map.html", 1, "/no/such/folder/map.html can't be written: "],
  ])("%s is a mistake, and ends with %i", async (words, code, message) => {
    const { stdout, stderr, exitCode } = await site.run(words);
    expect({ stdout, exitCode }).toEqual({ stdout: "", exitCode: code });
    expect(stderr).toContain(message);
  });

  it("says so where no node has ranges by that key", async () => {
    const { stdout, exitCode } = await site.run("map example.com/no-such-key");
    expect({ stdout, exitCode }).toEqual({
      stdout: expect.stringContaining("example.com/no-such-key: no node has ranges") as string,
      exitCode: 0,
    });
  });
});
