// What the environment can do beyond what CNI says, found by trying. SECURITY.md lists it; this holds the list.
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createAuthority } from "../parts/certificates.ts";
import { type EmbeddedApiServer, startEmbeddedApiServer } from "../parts/embedded-api-server.ts";
import type { PluginAnswer } from "../parts/plugin.ts";
import { checkout } from "../parts/tools.ts";
import { addressesIn, readFailure } from "../real/parts/answers.ts";
import { makeWorker, putProgram, type Worker } from "../real/parts/worker.ts";
import { describeOne } from "./subject.ts";
import { treeOf } from "./tree.ts";

const podCIDRs = ["10.1.0.0/24"];
const security = readFileSync(join(checkout, "SECURITY.md"), "utf8");

let server: EmbeddedApiServer;
let stranger = "";
beforeAll(async () => {
  server = await startEmbeddedApiServer();
  stranger = (await createAuthority("stranger")).certificate;
});
afterAll(() => server?.close());

describeOne("a variable of the environment", (subject) => {
  /** A worker that asks with a token, and a folder of its own with a program to be loaded. */
  async function prepare(): Promise<{ worker: Worker; folder: string; preload: string; token: string }> {
    const identity = {
      kind: "serviceAccount",
      namespace: "kube-system",
      name: "cni",
      mayRead: "all",
    } as const;
    const worker = await makeWorker(server, subject, { podCIDRs, identity });
    const folder = mkdtempSync(join(worker.folder, "env-"));
    const preload = join(folder, "preload.cjs");
    writeFileSync(preload, `require("fs").writeFileSync(${JSON.stringify(join(folder, "it-ran"))}, "");\n`);
    writeFileSync(join(folder, "stranger.pem"), stranger);
    const token = /token: (\S+)/.exec(readFileSync(worker.kubeconfig, "utf8"))?.[1] ?? "no token";
    return { worker, folder, preload, token };
  }

  const call = (worker: Worker, env: Record<string, string>, ipam: object = {}): Promise<PluginAnswer> =>
    worker.call("ADD", {
      env,
      ipam: { nodeName: worker.name, cacheTTL: 0, timeout: 5, logfile: undefined, ...ipam },
    });

  /** Tried because the runtime's or Node's documentation, or the executable's own strings, name them. F is a file, P a program. */
  const harmless: [name: string, value: string][] = [
    ["NODE_OPTIONS", "--require P"],
    ["NODE_OPTIONS", "--no-such-option"],
    ["NODE_PATH", "F"],
    ["NODE_TLS_REJECT_UNAUTHORIZED", "0"],
    ["NODE_EXTRA_CA_CERTS", "stranger.pem"],
    ["NODE_USE_SYSTEM_CA", "1"],
    ["SSL_CERT_DIR", "F"],
    ["SSLKEYLOGFILE", "F"],
    ["NODE_V8_COVERAGE", "F"],
    ["NODE_COMPILE_CACHE", "F"],
    ["NODE_REDIRECT_WARNINGS", "F"],
    ["NODE_DEBUG", "fs,net,tls,http"],
    ["NODE_CHANNEL_FD", "3"],
    ["NODE_UNIQUE_ID", "1"],
    ["BUN_INSPECT_PRELOAD", "P"],
    ["BUN_RUNTIME_TRANSPILER_CACHE_PATH", "F"],
    ["BUN_CPU_PROF", "1"],
    ["BUN_DEBUG", "F"],
    ["BUN_TRACE", "F"],
    ["BUN_TMPDIR", "/nowhere"],
    ["TMPDIR", "/nowhere"],
    ["JSC_dumpOptions", "1"],
    ["MIMALLOC_SHOW_STATS", "1"],
    ["DEBUG", "*"],
    ["FORCE_COLOR", "1"],
    ["TZ", "Asia/Tokyo"],
    ["LANG", "tr_TR.UTF-8"],
  ];

  it.each(harmless)("%s=%s does nothing", async (name, value) => {
    const { worker, folder, preload } = await prepare();
    const before = treeOf(folder);
    const filled = value
      .replace("P", preload)
      .replace(/^F$/, join(folder, "F"))
      .replace("stranger.pem", join(folder, "stranger.pem"));
    const answer = await call(worker, {
      [name]: name === "DEBUG" || name === "NODE_TLS_REJECT_UNAUTHORIZED" ? value : filled,
    });
    expect(addressesIn(answer)).toEqual(["10.1.0.2"]);
    expect(answer.stderr).toBe("");
    expect(treeOf(folder)).toEqual(before);
    expect(worker.requests()).toHaveLength(1);
    expect(security).toContain(name);
  });

  it.each([
    ["NODE_TLS_REJECT_UNAUTHORIZED", "0"],
    ["NODE_EXTRA_CA_CERTS", "authority"],
    ["SSL_CERT_FILE", "authority"],
  ])("%s makes no stranger trusted where the kubeconfig names an authority", async (name, value) => {
    const { worker, folder } = await prepare();
    writeFileSync(join(folder, "authority"), server.authority);
    const other = readFileSync(worker.kubeconfig, "utf8").replace(
      /(certificate-authority-data: ).*/,
      `$1${Buffer.from(stranger).toString("base64")}`,
    );
    writeFileSync(worker.kubeconfig, other);
    const failure = readFailure(
      await call(worker, { [name]: value.replace("authority", join(folder, "authority")) }),
    );
    expect(failure).toMatchObject({ code: 11, details: expect.stringContaining("unknown authority") });
  });

  it("BUN_CONFIG_VERBOSE_FETCH shows no token", async () => {
    const { worker, token } = await prepare();
    for (const value of ["curl", "1", "true"]) {
      const { stdout, stderr } = await call(worker, { BUN_CONFIG_VERBOSE_FETCH: value });
      expect(token.length).toBeGreaterThan(20);
      expect(stdout + stderr).not.toContain(token);
    }
  });

  /** The runtime reads these before any line of ours is run. Who sets root's environment is root. */
  const known: [name: string, value: string, what: (answer: PluginAnswer, made: string[]) => void][] = [
    [
      "BUN_OPTIONS",
      "--preload P",
      (answer, made) => expect([addressesIn(answer), made]).toEqual([["10.1.0.2"], ["it-ran"]]),
    ],
    ["BUN_BE_BUN", "1", (answer) => expect(answer).toMatchObject({ exitCode: 1, stdout: "" })],
    ["BUN_JSC_noSuchOption", "1", (answer) => expect(answer).toMatchObject({ exitCode: 1, stdout: "" })],
    ["BUN_JSC_dumpOptions", "1", (answer) => expect(answer.stderr).toContain("JSC options")],
    ["MIMALLOC_VERBOSE", "1", (answer) => expect(answer.stderr).toContain("mimalloc")],
    ["BUN_BYTECODE_ORDER_OUT", "F", (_, made) => expect(made).toEqual(["F"])],
    ["BUN_BYTECODE_DIGEST_OUT", "F", (_, made) => expect(made).toEqual(["F"])],
  ];

  it.each(known)("known: %s=%s", async (name, value, expectWhat) => {
    const { worker, folder, preload } = await prepare();
    const before = readdirSync(folder);
    const answer = await call(worker, {
      [name]: value.replace("P", preload).replace(/^F$/, join(folder, "F")),
    });
    expectWhat(
      answer,
      readdirSync(folder).filter((file) => !before.includes(file)),
    );
    expect(security).toContain(name.replace(/^(BUN_JSC_).*/, "$1"));
  });

  it("are all those that say where to ask, and as whom", async () => {
    const { worker, folder, token } = await prepare();
    const kubeconfig = { kubeconfig: undefined };
    const node = { nodeName: undefined };
    const named = { ...kubeconfig, ...node };
    mkdirSync(join(folder, ".kube"));
    copyFileSync(worker.kubeconfig, join(folder, ".kube/config"));
    const ways: [Record<string, string>, object][] = [
      [{ KUBECONFIG: worker.kubeconfig, NODE_NAME: worker.name }, named],
      [{ HOME: folder, NODE_NAME: worker.name }, named],
    ];
    for (const [env, ipam] of ways) {
      const answer = await worker.call("ADD", {
        id: `c${Object.keys(env)[0]}`,
        env,
        ipam: { cacheTTL: 0, timeout: 3, logfile: undefined, ...ipam },
      });
      expect(addressesIn(answer)).toHaveLength(1);
      for (const name of Object.keys(env)) expect(security).toContain(name);
    }
    expect(token).not.toBe("no token");
    const asked = worker.requests().length;
    const proxied = await call(
      worker,
      { HTTPS_PROXY: "socks5://127.0.0.1:1", NO_PROXY: "127.0.0.2" },
      { annotation: "none" },
    );
    expect(readFailure(proxied).code).toBeGreaterThan(0);
    expect(worker.requests().length).toBe(asked + 1); // Loopback is never asked through a proxy.
    for (const name of [
      "HTTPS_PROXY",
      "NO_PROXY",
      "KUBERNETES_SERVICE_HOST",
      "NODE_ANNOTATION_CFG",
      "SSL_CERT_FILE",
      "PATH",
      "LD_PRELOAD",
      "BUN_INSPECT",
    ]) {
      expect(security).toContain(name);
    }
  });
});

describeOne("the delegate's environment", (subject) => {
  it.each(["ADD", "CHECK", "DEL"])("is the call's own, all of it and nothing else: %s", async (verb) => {
    const worker = await makeWorker(server, subject, { podCIDRs });
    const seen = join(worker.folder, "environ");
    const script = `#!/bin/sh\ncat /proc/$$/environ >'${seen}'\nexec '${subject.hostLocal.path}'\n`;
    for (const name of ["host-local", "other"]) {
      putProgram(join(worker.bin, name), script);
      const ipam = { nextipam: name };
      if (verb !== "ADD") await worker.add({ ipam, id: name });
      rmSync(seen, { force: true });
      const env = {
        EXTRA: "x y\nz",
        EMPTY: "",
        KUBECONFIG: "/k",
        HTTPS_PROXY: "http://127.0.0.1:1",
        NO_PROXY: "*",
      };
      const answer = await worker.call(verb, { id: name, env, ipam });
      expect(answer.exitCode, answer.stdout).toBe(0);
      const found = readFileSync(seen, "utf8").split("\0").filter(Boolean).sort();
      expect(found).toEqual(
        Object.entries({
          ...env,
          PATH: process.env["PATH"],
          CNI_COMMAND: verb,
          CNI_CONTAINERID: name,
          CNI_IFNAME: "eth0",
          CNI_NETNS: "/var/run/netns/none",
          CNI_PATH: worker.path,
        })
          .map(([name, value]) => `${name}=${value}`)
          .sort(),
      );
    }
  });
});
