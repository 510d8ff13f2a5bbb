// Agents of two versions on one node, as in a rolling update: both are real executables, and pods start all the time.
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { expect, it } from "vitest";
import { fileDigest } from "../../src/host/digest.ts";
import { type Agent, type Host, makeHost, startAgent } from "./parts/agent.ts";
import { builtVersion, makeOtherVersion } from "./parts/other-version.ts";

function start(host: Host, program?: string): Agent {
  const kubeconfig = join(host.root, "kubeconfig");
  writeFileSync(kubeconfig, "{}", { mode: 0o600 });
  const wrap = (command: string[]) => (program === undefined ? command : [program, ...command.slice(1)]);
  return startAgent({ host, node: "n1", kubeconfig, wrap, args: ["--credentials=none"] });
}

/** What the plugin on the host says of itself, again and again, each other version once; "failed" where it doesn't. */
function callAgainAndAgain(host: Host): () => Promise<string[]> {
  const said: string[] = [];
  let isOver = false;
  const done = (async () => {
    while (!isOver) {
      const { stdout } = await execa(join(host.bin, "kube-node"), ["-version"], { reject: false });
      const words = /^kube-node (\S+)$/.exec(stdout)?.[1] ?? "failed";
      if (said.at(-1) !== words) said.push(words);
    }
  })();
  return async () => {
    isOver = true;
    await done;
    return said;
  };
}

it("the later one's executables stay, whichever of the two comes first, and each call of the plugin's works", async () => {
  const host = makeHost();
  const version = builtVersion();
  const older = makeOtherVersion("0.0.9");
  const first = start(host, older.agent);
  await first.said("the plugins are installed");
  const calls = callAgainAndAgain(host);
  const second = start(host);
  await second.said("another agent is at work on this node");
  expect(await fileDigest(join(host.bin, "kube-node"))).toBe(await fileDigest(older.agent));
  expect(await first.stop()).toBe(0);
  await second.said("the plugins are installed");
  const later = await fileDigest(join(host.bin, "kube-node"));
  expect(later).not.toBe(await fileDigest(older.agent));

  // The update is taken back: an older agent does not do that to the executables by itself.
  const third = start(host, older.agent);
  await third.said("another agent is at work on this node");
  expect(await second.stop()).toBe(0);
  const { reason } = await third.said("the plugins are installed");
  for (const name of ["kube-node", "node-annotation"]) {
    expect(reason).toContain(`${name} is of the later version ${version} and stays: --force replaces it`);
    expect(await fileDigest(join(host.bin, name))).toBe(later);
  }
  expect((await third.get("/readyz")).text).toContain(`of the later version ${version} and stays`);
  expect(await third.stop()).toBe(0);
  expect(await calls()).toEqual([older.version, version]);

  // Told to, it does.
  const flags = ["--node-name=n1", `--host-root=${host.root}`, "--credentials=none"];
  await execa(older.agent, ["install", ...flags, "--force"]);
  expect(await fileDigest(join(host.bin, "kube-node"))).toBe(await fileDigest(older.agent));
  await execa(older.agent, ["uninstall", ...flags]);
  expect(existsSync(join(host.bin, "kube-node"))).toBe(false);
}, 60_000);
