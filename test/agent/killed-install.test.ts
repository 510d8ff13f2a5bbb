// SIGKILL in the middle of installing: what has a name is whole, and uninstall leaves nothing, without another install before it.
import { spawn } from "node:child_process";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import { expect, it } from "vitest";
import { fileDigest } from "../../src/host/digest.ts";
import { executables } from "../parts/plugin.ts";
import { type Host, makeHost } from "./parts/agent.ts";

const agent = executables()[0]?.command("kube-node-agent")[0] as string;
const digest = await fileDigest(agent);
const network = '{"cniVersion": "1.0.0", "name": "net1", "type": "bridge"}';

function commandOn({ root }: Host): string[] {
  const config = join(root, "10-net1.conf");
  writeFileSync(config, network);
  return ["--node-name=n1", `--host-root=${root}`, "--credentials=none", `--cni-config=${config}`];
}

/** Whether it came to its end before. */
async function killAfter(milliseconds: number, flags: string[]): Promise<boolean> {
  const child = spawn(agent, ["install", ...flags], { stdio: "ignore" });
  const ended = new Promise<boolean>((resolve) =>
    child.once("exit", (_, signal) => resolve(signal === null)),
  );
  await sleep(milliseconds);
  child.kill("SIGKILL");
  return await ended;
}

it("leaves whole files alone, and nothing that uninstall doesn't find", async () => {
  let took = Number.POSITIVE_INFINITY;
  // The first one may read everything from the disk.
  for (let time = 0; time < 3; time++) {
    const flags = commandOn(makeHost());
    const began = performance.now();
    await execa(agent, ["install", ...flags]);
    took = Math.min(took, performance.now() - began);
  }
  let [cut, halves] = [0, 0];
  for (let step = 1; step <= 12; step++) {
    const host = makeHost();
    const flags = commandOn(host);
    if (!(await killAfter((took * step) / 12, flags))) cut++;
    for (const name of ["kube-node", "node-annotation"])
      expect([undefined, digest]).toContain(await fileDigest(join(host.bin, name)));
    halves += readdirSync(host.bin).filter((name) => name.startsWith(".")).length;
    expect(await execa(agent, ["uninstall", ...flags], { reject: false })).toMatchObject({ exitCode: 0 });
    expect([readdirSync(host.bin), readdirSync(host.conf), existsSync(host.run)]).toEqual([[], [], false]);
  }
  expect({ cut: cut > 0, halves: halves > 0 }).toEqual({ cut: true, halves: true });
}, 90_000);

it("is what the next one makes good, whatever was left in the folders", async () => {
  const host = makeHost();
  const flags = commandOn(host);
  await execa(agent, ["install", ...flags]);
  writeFileSync(join(host.bin, ".kube-node.new-1-1"), "half");
  writeFileSync(join(host.bin, ".kube-node.new-1-1-link"), "half");
  writeFileSync(join(host.conf, "kube-node.d/.kube-node.new-1-1"), "half");
  writeFileSync(join(host.conf, ".kube-node.new-1-1"), "half");
  await execa(agent, ["uninstall", ...flags]);
  expect([readdirSync(host.bin), readdirSync(host.conf)]).toEqual([[], []]);
});
