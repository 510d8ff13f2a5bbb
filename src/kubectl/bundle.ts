import { writeFile } from "node:fs/promises";
import { Command } from "commander";
import type { Client } from "../kube/client.ts";
import { packArchive } from "./archive.ts";
import { collectBundle } from "./bundle-files.ts";
import { refuseBoth } from "./choose-nodes.ts";
import { addHelp, usualExits } from "./help.ts";
import type { Shell } from "./shell.ts";

type Options = { output?: string; selector?: string };

export function bundleCommand(shell: Shell): Command {
  const command = new Command("bundle")
    .argument("[nodes...]", "whose states to take (default: all)")
    .description(
      "One archive for a bug report: configuration, versions, nodes, pods' addresses, events; secrets taken out",
    )
    .option("-o, --output <file>", "where to (default: kube-node-bundle-TIME.tar.gz in the working folder)")
    .option("-l, --selector <selector>", "the nodes with these labels, in the place of names")
    .action(async (nodes: string[], options: Options) => {
      refuseBoth(nodes, options.selector !== undefined);
      const { client } = await shell.connect(command);
      await bundle(client, nodes, options, shell);
    });
  return addHelp(
    command,
    [
      ["bundle node-1 node-2", "What a bug report on two nodes needs"],
      ["bundle -l zone=a -o zone-a.tar.gz", "Of a zone, into this file"],
    ],
    usualExits,
  );
}

async function bundle(
  client: Client,
  nodes: string[],
  { output, selector }: Options,
  shell: Shell,
): Promise<void> {
  const now = new Date();
  const name = `kube-node-bundle-${now.toISOString().slice(0, 19).replaceAll(/[-:]/g, "")}`;
  const file = output ?? `${name}.tar.gz`;
  shell.progress("reading the cluster");
  const files = await collectBundle(client, { nodes, selector }, now);
  await writeFile(file, await packArchive(name, files), { mode: 0o600, flag: "wx" }).catch((error) => {
    if (error.code !== "EEXIST") throw error;
    throw new Error(`${file} is there already: name another file by -o`);
  });
  shell.print(file);
  shell.say(
    `what looked like a secret was taken out; look through it before you hand it on: tar -xzf ${file}`,
  );
}
