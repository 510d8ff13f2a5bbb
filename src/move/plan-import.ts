import { type HandRanges, type NodeFile, readHandRanges } from "./read-hand-ranges.ts";

/** The ranges of one network on all nodes. With a doubt nothing of it is taken. */
export type ImportPlan = {
  network: string;
  ranges: HandRanges[];
  doubts: string[];
  notes: string[];
};

/** Reads all files. `network` chooses one where they name several; throws an Error where it has to be given, or is in none of them. */
export function planImport(
  files: readonly NodeFile[],
  network: string | undefined,
  isNode: (name: string) => boolean,
): ImportPlan {
  const read = files.map(readHandRanges);
  const all = read.flatMap(({ ranges }) => ranges);
  const chosen = chooseNetwork([...new Set(all.map((one) => one.network))].sort(), network);
  const ranges = all.filter((one) => one.network === chosen);
  const byNode = Map.groupBy(ranges, ({ node }) => node);
  return {
    network: chosen,
    ranges,
    doubts: [
      ...read.flatMap(({ doubts }) => doubts),
      ...[...byNode].flatMap(([node, several]) =>
        several.length > 1
          ? [`${node} has ${chosen} several times: ${several.map(({ path }) => path).join(", ")}`]
          : [],
      ),
      ...[...byNode.keys()].flatMap((node) =>
        isNode(node) ? [] : [`${node}: there is no such Node: is the folder called like it?`],
      ),
    ],
    notes: [...read.flatMap(({ others }) => others), ...ranges.flatMap(({ notes }) => notes)],
  };
}

function chooseNetwork(found: string[], asked: string | undefined): string {
  if (asked !== undefined) {
    if (found.includes(asked)) return asked;
    throw new Error(
      `no file has ranges of host-local for network ${asked}${found.length > 0 ? `: they have ${found.join(", ")}` : ""}`,
    );
  }
  const [only, ...more] = found;
  if (only === undefined) throw new Error("no file has ranges of host-local: nothing to import");
  if (more.length > 0)
    throw new Error(`the files have several networks: choose one with --network: ${found.join(", ")}`);
  return only;
}
