// The system under test: the built executable on a machine's disk, called as a runtime calls it, sometimes killed.
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Fault } from "../parts/embedded/fault.ts";
import type { EmbeddedApiServer } from "../parts/embedded-api-server.ts";
import type { Worker } from "../real/parts/worker.ts";
import type { Key } from "./model.ts";

export const annotationKey = "example.com/ranges";
export const networks = ["net1", "net2"] as const;

/** `afterMs` from its start; `alone`: what it had started lives on, as when a runtime kills a plugin. */
export type Kill = { afterMs: number; alone: boolean };

/** `key` of ADD, DEL and CHECK; `valid` of GC. */
export type Call = { verb: string; network: string; key?: Key; valid?: Key[]; kill?: Kill };

/** "killed" where it didn't end by itself. */
export type Outcome = { words: string } & (
  | { kind: "killed" }
  | { kind: "done"; addresses: string[] }
  | { kind: "failed"; code: number; msg: string }
);

export type Machine = {
  call(call: Call): Promise<Outcome>;
  annotate(value: string | null): Promise<void>;
  break(fault: Fault | null): Promise<void>;
  /** Everything on the disk is of an earlier boot now. */
  reboot(): void;
  /** Everything on the disk is five minutes older now. */
  wait(): void;
  /** Address → attachment, "" for a lease that was never written. */
  leases(network: string): Map<string, Key>;
  records(network: string): Key[];
};

/** A worker (test/real/parts) of which only the disk is kept between calls. */
export function makeMachine(server: EmbeddedApiServer, worker: Worker, command: string[]): Machine {
  const filesOf = (network: string) => [
    ...filesIn(worker.state(network)),
    ...filesIn(join(worker.state(network), "attachments")),
    ...filesIn(join(worker.dataDir, network)),
  ];
  return {
    call: async (call) => {
      const child = start(worker, command, call);
      return await judge(child, call.kill);
    },
    annotate: (value) => worker.annotate(annotationKey, value),
    break: (fault) => server.fault(fault),
    reboot: () => {
      for (const path of networks.flatMap(filesOf)) {
        edit(path, (document) =>
          "bootID" in document ? { ...document, bootID: "an-earlier-boot" } : document,
        );
      }
    },
    wait: () => networks.flatMap(filesOf).forEach(makeOlder),
    leases: (network) => {
      const held = Object.entries(worker.leases(network));
      return new Map(
        held.map(([ip, holder]) => [ip, holder === "" ? "" : keyOf(network, holder.replace(" ", ":"))]),
      );
    },
    records: (network) => {
      const names = worker.records(network).filter((name) => !name.startsWith("."));
      // Behind its name, a record that took another over has that one's nonce.
      return [...new Set(names.map((name) => keyOf(network, name.split(/[:~]/).slice(0, 2).join(":"))))];
    },
  };
}

export function keyOf(network: string, attachment: string): Key {
  return `${network}/${attachment}`;
}

function start(worker: Worker, command: string[], { verb, network, key, valid }: Call): ChildProcess {
  const [file = "", ...args] = command;
  const [containerID = "", ifname = ""] = attachmentOf(key);
  const config = {
    cniVersion: "1.1.0",
    name: network,
    type: "bridge",
    ipam: worker.ipam({ annotation: annotationKey }),
    ...(valid && {
      "cni.dev/valid-attachments": valid
        .map(attachmentOf)
        .map(([id, name]) => ({ containerID: id, ifname: name })),
    }),
  };
  const env = {
    PATH: process.env["PATH"],
    CNI_COMMAND: verb,
    CNI_PATH: worker.path,
    ...(key !== undefined && {
      CNI_CONTAINERID: containerID,
      CNI_IFNAME: ifname,
      CNI_NETNS: "/var/run/netns/none",
    }),
  };
  const child = spawn(file, args, { env, detached: true, stdio: ["pipe", "pipe", "pipe"] });
  child.stdin?.on("error", () => {}).end(JSON.stringify(config));
  return child;
}

function attachmentOf(key = ""): string[] {
  return key.slice(key.indexOf("/") + 1).split(":");
}

async function judge(child: ChildProcess, killed?: Kill): Promise<Outcome> {
  const output = Promise.all([child.stdout, child.stderr].map(readAll));
  // A host-local whose plugin was killed still does what it was at; "close" waits for it, since it has our stderr.
  const timer = killed && setTimeout(() => kill(child, killed.alone ? 1 : -1), killed.afterMs);
  const [exitCode, signalName] = await new Promise<[number | null, string | null]>((resolve, reject) => {
    child.once("error", reject).once("close", (code, name) => resolve([code, name]));
  });
  clearTimeout(timer);
  const [stdout = "", stderr = ""] = await output;
  const words = `exit ${exitCode ?? signalName}, stdout ${JSON.stringify(stdout)}, stderr ${JSON.stringify(stderr)}`;
  if (signalName !== null) {
    if (!killed || signalName !== "SIGKILL") throw new Error(`ended by ${signalName}: ${words}`);
    return { kind: "killed", words };
  }
  if (exitCode === 0) {
    const { ips = [] } = (stdout === "" ? {} : JSON.parse(stdout)) as { ips?: { address: string }[] };
    return { kind: "done", words, addresses: ips.map(({ address }) => address.replace(/\/\d+$/, "")) };
  }
  const { code, msg } = JSON.parse(stdout) as { code: number; msg: string };
  return { kind: "failed", words, code, msg };
}

async function readAll(stream: ChildProcess["stdout"]): Promise<string> {
  let text = "";
  for await (const chunk of stream?.setEncoding("utf8") ?? []) text += chunk as string;
  return text;
}

/** `which`: 1 for the process, -1 for all of its group. */
function kill({ pid }: ChildProcess, which: 1 | -1): void {
  try {
    if (pid !== undefined) process.kill(which * pid, "SIGKILL");
  } catch {
    // It was faster.
  }
}

function filesIn(folder: string): string[] {
  const names = existsSync(folder) ? readdirSync(folder) : [];
  return names.map((name) => join(folder, name)).filter((path) => statSync(path).isFile());
}

function makeOlder(path: string): void {
  edit(path, (document) => {
    const older = Object.entries(document).map(([name, value]) =>
      ["uptime", "at"].includes(name) ? [name, (value as number) - 300] : [name, value],
    );
    return Object.fromEntries(older);
  });
  const { atimeMs, mtimeMs } = statSync(path);
  utimesSync(path, atimeMs / 1000 - 300, mtimeMs / 1000 - 300);
}

function edit(path: string, change: (document: object) => object): void {
  const text = readFileSync(path, "utf8");
  if (!text.startsWith("{")) return;
  const { atimeMs, mtimeMs } = statSync(path);
  try {
    writeFileSync(path, JSON.stringify(change(JSON.parse(text) as object)));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error; // A temporary file of a call that was killed.
  }
  utimesSync(path, atimeMs / 1000, mtimeMs / 1000);
}
