// The runtime's working folder belongs to nobody in particular: nothing in it changes what the executable does.
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type EmbeddedApiServer, startEmbeddedApiServer } from "../parts/embedded-api-server.ts";
import { callPlugin } from "../parts/plugin.ts";
import { checkout } from "../parts/tools.ts";
import { addressesIn, readFailure } from "../real/parts/answers.ts";
import { makeWorker, putProgram, type Worker } from "../real/parts/worker.ts";
import { describeOne } from "./subject.ts";

let server: EmbeddedApiServer;
/** An administrator's kubeconfig, for kubectl's plugin. */
let admin = "";
beforeAll(async () => {
  server = await startEmbeddedApiServer();
  admin = join(mkdtempSync(join(tmpdir(), "admin-")), "kubeconfig");
  writeFileSync(admin, await server.kubeconfigFor({ kind: "admin" }), { mode: 0o600 });
});
afterAll(async () => {
  await server?.close();
  rmSync(dirname(admin), { recursive: true, force: true });
});

describeOne("a file in the working folder", (subject) => {
  /** A folder with what is planted, and whether any of it has run. */
  async function plant() {
    const worker = await makeWorker(server, subject, { podCIDRs: ["10.1.0.0/24"] });
    const cwd = join(worker.folder, "cwd");
    const trace = join(worker.folder, "it-ran");
    const evil = join(cwd, "evil.cjs");
    mkdirSync(cwd);
    writeFileSync(evil, `require("fs").appendFileSync(${JSON.stringify(trace)}, process.argv.join(" "));\n`);
    return { worker, cwd, evil, hasRun: () => existsSync(trace) };
  }

  /** Several ways through the code: what is loaded late isn't on the way of every call. */
  async function callAll(worker: Worker, cwd: string, env: Record<string, string> = {}): Promise<void> {
    const call = (verb: string, id: string, ipam: Record<string, unknown>) =>
      callPlugin({
        command: subject.executable.command("kube-node"),
        verb,
        containerID: id,
        ifname: "eth0",
        netns: "/var/run/netns/none",
        path: worker.path,
        cwd,
        env,
        stdin: { cniVersion: "1.0.0", name: "net1", ipam: worker.ipam(ipam) },
      });
    expect(addressesIn(await call("ADD", "c1", {}))).toEqual(["10.1.0.2"]);
    const malformed = join(worker.folder, "malformed");
    writeFileSync(malformed, "a: [b\n", { mode: 0o600 });
    const plugin = join(worker.folder, "with-plugin");
    const exec = {
      apiVersion: "client.authentication.k8s.io/v1",
      command: "/bin/true",
      interactiveMode: "Never",
    };
    writeFileSync(plugin, kubeconfigWith(server.url, { exec }), { mode: 0o600 });
    for (const [kubeconfig, code] of [
      [malformed, 7],
      [plugin, 11],
    ] as const) {
      const failure = readFailure(await call("ADD", "c2", { kubeconfig, annotation: "unknown", timeout: 2 }));
      expect(failure).toMatchObject({ code });
    }
    expect(readFailure(await call("ADD", "c3", { timeout: "x" }))).toMatchObject({ code: 7 });
    expect(await call("DEL", "c1", {})).toMatchObject({ exitCode: 0 });
    const people = await execa(subject.executable.command("node-annotation")[0] as string, ["-h"], {
      cwd,
      env,
    });
    expect(people.stdout).toContain("my_node");
    await commandFromThere(worker, cwd, env);
  }

  /** People stand in folders of all kinds when they type: a checkout of somebody else's, for one. */
  async function commandFromThere(worker: Worker, cwd: string, env: Record<string, string>): Promise<void> {
    const run = (...words: string[]) =>
      execa(subject.executable.command("kubectl-kube_node")[0] as string, words, {
        cwd,
        env: { HOME: worker.folder, ...env, KUBECONFIG: admin },
        reject: false,
      });
    expect((await run("__complete", "list", worker.name)).stdout).toContain(worker.name);
    // The embedded API server has Nodes, and no pods: that is said.
    const change = "example.com/planted=10.9.0.0/24";
    for (const words of [["list"], ["verify"], ["annotate", worker.name, change, "--dry-run=client"]])
      expect((await run(...words)).stderr).toMatch(/does not serve|could not find/);
    expect((await run("-h")).stdout).toContain("annotate");
    const audit = await execa(
      subject.executable.command("kube-node")[0] as string,
      ["audit", `--data-dir=${worker.dataDir}`],
      { cwd, env: { ...env, CNI_PATH: worker.path } },
    );
    expect(audit).toMatchObject({ exitCode: 0 });
  }

  it("(the plant works: bun itself runs it)", async () => {
    const { cwd, evil, hasRun } = await plant();
    writeFileSync(join(cwd, "bunfig.toml"), `preload = [${JSON.stringify(evil)}]\n`);
    await execa(join(checkout, "node_modules/.bin/bun"), ["-e", "1"], { cwd });
    expect(hasRun()).toBe(true);
  });

  it.each([".env", ".env.local", ".env.production", ".env.development", ".env.test"])("%s", async (name) => {
    const { worker, cwd, evil, hasRun } = await plant();
    const lines = [
      "NODE_NAME=another",
      "KUBECONFIG=/nowhere",
      "HTTPS_PROXY=http://127.0.0.1:1",
      `BUN_OPTIONS=--preload ${evil}`,
      `BUN_INSPECT_PRELOAD=${evil}`,
      "CNI_COMMAND=VERSION",
    ];
    writeFileSync(join(cwd, name), `${lines.join("\n")}\n`);
    await callAll(worker, cwd);
    expect(hasRun()).toBe(false);
  });

  it.each(["bunfig.toml", ".bunfig.toml", "bunfig.json"])("%s, here and at home", async (name) => {
    const { worker, cwd, evil, hasRun } = await plant();
    const preload = `[${JSON.stringify(evil)}]`;
    const text = name.endsWith("json")
      ? `{"preload": ${preload}}`
      : `preload = ${preload}\n[run]\npreload = ${preload}\n`;
    const home = join(worker.folder, "home");
    mkdirSync(home);
    for (const folder of [cwd, home]) writeFileSync(join(folder, name), text);
    await callAll(worker, cwd, { HOME: home, XDG_CONFIG_HOME: home });
    expect(hasRun()).toBe(false);
  });

  it.each(["tsconfig.json", "jsconfig.json", "package.json"])(
    "%s that sends modules elsewhere",
    async (name) => {
      const { worker, cwd, evil, hasRun } = await plant();
      const modules = ["yaml", "zod", "undici", "node:fs", "fs", "node:crypto", "node:child_process", "*"];
      const paths = Object.fromEntries(modules.map((module) => [module, [evil]]));
      const one = Object.fromEntries(modules.map((module) => [module, evil]));
      const scripts = { preinstall: `node ${evil}`, start: `node ${evil}` };
      writeFileSync(
        join(cwd, name),
        JSON.stringify({
          compilerOptions: { baseUrl: ".", paths, jsx: "react", jsxImportSource: evil },
          ...(name === "package.json" && {
            name: "evil",
            main: evil,
            imports: { "#*": evil },
            browser: one,
            alias: one,
            overrides: one,
            scripts,
            bun: { preload: [evil] },
          }),
        }),
      );
      await callAll(worker, cwd);
      expect(hasRun()).toBe(false);
    },
  );

  it("node_modules, of it and above it", async () => {
    const { worker, cwd, evil, hasRun } = await plant();
    for (const folder of [cwd, worker.folder]) {
      for (const module of ["yaml", "zod", "undici", "bun", "@types/node"]) {
        const place = join(folder, "node_modules", module);
        mkdirSync(place, { recursive: true });
        writeFileSync(
          join(place, "package.json"),
          JSON.stringify({ name: module, main: "index.cjs", exports: { ".": "./index.cjs" } }),
        );
        writeFileSync(join(place, "index.cjs"), `require(${JSON.stringify(evil)});\n`);
      }
    }
    await callAll(worker, cwd);
    expect(hasRun()).toBe(false);
  });

  it("programs and files with the names of what is called and read", async () => {
    const { worker, cwd, evil, hasRun } = await plant();
    for (const name of ["host-local", "true", "node", "bun", "kube-node", "sh"]) {
      putProgram(join(cwd, name), `#!/bin/sh\nnode '${evil}'\n`);
    }
    for (const name of ["kubeconfig", "config", "kube-node.json", "node-annotation.conf", "machine-id"]) {
      writeFileSync(join(cwd, name), "rubbish");
    }
    await callAll(worker, cwd, { CNI_PATH: `:${worker.path}:` });
    expect(hasRun()).toBe(false);
  });

  it("known: a folder that was deleted ends the call before it has begun", async () => {
    const { worker, cwd } = await plant();
    const script = 'cd "$1" && rm -rf "$1" && shift && exec "$@"';
    const answer = await worker.call("ADD", {
      wrap: (command) => ["sh", "-c", script, "sh", cwd, ...command],
    });
    expect(answer).toMatchObject({ exitCode: 1, stdout: "", stderr: expect.stringContaining("was deleted") });
    expect([worker.leases(), worker.records()]).toEqual([{}, []]);
  });
});

function kubeconfigWith(server: string, user: object): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "a", cluster: { server, "insecure-skip-tls-verify": true } }],
    users: [{ name: "a", user }],
    contexts: [{ name: "a", context: { cluster: "a", user: "a" } }],
    "current-context": "a",
  });
}
