import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { findFreePort } from "../free-port.ts";
import { type GuardedProcess, startGuarded } from "../guarded-process.ts";

/** PEM texts and a question: whether kube-apiserver on this port is ready. `serviceAccountKey` signs and verifies tokens. */
export type ControlPlaneOptions = {
  authority: string;
  server: { certificate: string; key: string };
  serviceAccountKey: string;
  isReady: Ready;
  /** More of kube-apiserver's flags, and of etcd's. */
  flags?: string[];
  etcdFlags?: string[];
};

/**
 * kube-apiserver and its etcd. `stop` and `start` are kube-apiserver's alone; `close` ends both and removes their data. `backUp` gives a
 * function that sets everything back to this moment, as a restored backup of etcd does; both start the two anew.
 */
export type ControlPlane = {
  port: number;
  stop(): Promise<void>;
  start(): Promise<void>;
  close(): Promise<void>;
  backUp(): Promise<() => Promise<void>>;
};

type Ready = (port: number) => Promise<boolean>;
type Running = { process: GuardedProcess; port: number };

const readyWithin = 45_000;

/** Starts the programs of `assets` on free ports, with a temporary folder for what they read and write. */
export async function startControlPlane(assets: string, options: ControlPlaneOptions): Promise<ControlPlane> {
  const folder = await mkdtemp(join(tmpdir(), "real-api-server-"));
  const running: Running[] = [];

  async function close(): Promise<void> {
    for (const { process } of running.reverse()) await process.kill();
    await rm(folder, { recursive: true, force: true });
  }

  try {
    await writeSecrets(folder, options);
    let etcd = await startEtcd(assets, folder, options);
    running.push(etcd);
    const startServer = async (port?: number): Promise<Running> => {
      const server = await startKubeApiserver(assets, folder, etcd.port, options, port);
      running.push(server);
      return server;
    };
    let server = await startServer();
    return {
      port: server.port,
      stop: () => server.process.kill(),
      start: async () => {
        server = await startServer(server.port);
      },
      close,
      backUp: async () => {
        const [data, copy] = [join(folder, "etcd"), join(folder, "backup")];
        const whileStopped = async (from: string, to: string) => {
          await server.process.kill();
          await etcd.process.kill();
          await rm(to, { recursive: true, force: true });
          await cp(from, to, { recursive: true });
          etcd = await startEtcd(assets, folder, options, etcd.port);
          running.push(etcd);
          server = await startServer(server.port);
        };
        await whileStopped(data, copy);
        return () => whileStopped(copy, data);
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function startEtcd(
  assets: string,
  folder: string,
  { etcdFlags = [] }: ControlPlaneOptions,
  fixedPort?: number,
): Promise<Running> {
  const answers: Ready = async (port) => (await fetch(`http://127.0.0.1:${port}/health`)).ok;
  return startUntilReady(
    "etcd",
    answers,
    async (port) => {
      const client = `http://127.0.0.1:${port}`;
      const peer = `http://127.0.0.1:${await findFreePort()}`;
      return startGuarded(
        join(assets, "etcd"),
        [
          `--data-dir=${join(folder, "etcd")}`,
          `--listen-client-urls=${client}`,
          `--advertise-client-urls=${client}`,
          `--listen-peer-urls=${peer}`,
          `--initial-advertise-peer-urls=${peer}`,
          `--initial-cluster=default=${peer}`,
          ...etcdFlags,
        ],
        join(folder, "etcd.log"),
      );
    },
    fixedPort,
  );
}

function startKubeApiserver(
  assets: string,
  folder: string,
  etcdPort: number,
  { isReady, flags = [] }: ControlPlaneOptions,
  fixedPort: number | undefined,
): Promise<Running> {
  const file = (name: string): string => join(folder, name);
  const start = async (port: number): Promise<GuardedProcess> =>
    startGuarded(
      join(assets, "kube-apiserver"),
      [
        ...flags,
        `--etcd-servers=http://127.0.0.1:${etcdPort}`,
        `--secure-port=${port}`,
        "--bind-address=127.0.0.1",
        "--advertise-address=127.0.0.1",
        "--endpoint-reconciler-type=none",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        `--cert-dir=${folder}`,
        `--tls-cert-file=${file("server.crt")}`,
        `--tls-private-key-file=${file("server.key")}`,
        `--client-ca-file=${file("authority.crt")}`,
        "--service-account-issuer=https://kubernetes.default.svc",
        `--service-account-signing-key-file=${file("service-account.key")}`,
        `--service-account-key-file=${file("service-account.key")}`,
        "--service-cluster-ip-range=10.96.0.0/16",
      ],
      file("kube-apiserver.log"),
    );
  return startUntilReady("kube-apiserver", isReady, start, fixedPort);
}

async function writeSecrets(folder: string, options: ControlPlaneOptions): Promise<void> {
  const files = {
    "authority.crt": options.authority,
    "server.crt": options.server.certificate,
    "server.key": options.server.key,
    "service-account.key": options.serviceAccountKey,
  };
  for (const [name, text] of Object.entries(files)) {
    await writeFile(join(folder, name), text, { mode: 0o600 });
  }
}

// A port that was free may be taken by now: a program that ends at once is started again, on another one.
async function startUntilReady(
  name: string,
  isReady: Ready,
  start: (port: number) => Promise<GuardedProcess>,
  fixedPort?: number,
): Promise<Running> {
  const end = Date.now() + readyWithin;
  for (let attempt = 1; ; attempt++) {
    const port = fixedPort ?? (await findFreePort());
    const process = await start(port);
    while (Date.now() < end && !process.hasExited()) {
      if (await isReady(port).catch(() => false)) return { process, port };
      await sleep(50);
    }
    if (attempt < 3 && process.hasExited()) continue;
    await process.kill();
    throw new Error(`${name} didn't get ready; its last words:\n${process.lastWords()}`);
  }
}
