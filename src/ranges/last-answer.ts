import { isErrno, listFolder, makePrivateFolder, replaceFile } from "../host/files.ts";
import { isObject, type JsonObject } from "../text/json.ts";
import { readOwnDocument } from "./own-document.ts";
import { isNodeValue, type NodeValue } from "./source.ts";
import { type Refuse, refuseSilently } from "./wanted.ts";

/** What the API server last said of one network's source. `at` is when it was asked: seconds of the machine's uptime. */
export type LastAnswer = {
  version: 1;
  source: string;
  node: { name: string; uid: string };
  /** Whose disk this is: state that was copied with an image to another machine is nobody's. */
  machineIDs: string[];
  value: NodeValue;
  bootID: string;
  at: number;
  time: string;
  /** The process that asked; absent where somebody else was told, and in what older releases kept. */
  asker?: number;
};

/** How the last attempt failed, for those who wait for one and the same request. */
export type LastFailure = {
  bootID: string;
  at: number;
  kind: "absent" | "outage";
  reason: string;
  code?: number;
};

/** A file name a source, any annotation key being longer than a file's name may be. */
export function fileName(kind: "ranges" | "failure" | "asking", label: string): string {
  return `${kind}-${encodeURIComponent(label.toWellFormed()).slice(-180)}`;
}

/** The last answer for this source on this machine; none where the file is missing, damaged, newer than we know, or foreign. */
export function readLastAnswer(
  folder: string,
  label: string,
  machineIDs: string[],
  refuse: Refuse = refuseSilently,
): LastAnswer | undefined {
  const value = readOwnDocument(`${folder}/${fileName("ranges", label)}`);
  if (!value) return refuse("none is kept");
  if (value["version"] !== 1 || value["source"] !== label || !isAnswer(value))
    return refuse("what is kept can't be read");
  const answer = value as LastAnswer;
  return answer.machineIDs.join() === machineIDs.join()
    ? answer
    : refuse("what is kept is another machine's");
}

/** The last answers for all of a network's sources on this machine: a configuration may have named another before. */
export function listLastAnswers(folder: string, machineIDs: string[]): LastAnswer[] {
  const names = listFolder(folder).filter((name) => name.startsWith("ranges-"));
  const labels = names.flatMap((name) => readOwnDocument(`${folder}/${name}`)?.["source"] ?? []);
  return labels.flatMap((label) =>
    typeof label === "string" ? (readLastAnswer(folder, label, machineIDs) ?? []) : [],
  );
}

function isAnswer({ node, machineIDs, value, bootID, at, time, asker = 1 }: JsonObject): boolean {
  const named = isObject(node) && typeof node["name"] === "string" && typeof node["uid"] === "string";
  const timed = typeof bootID === "string" && typeof at === "number" && typeof time === "string";
  return named && timed && Number.isInteger(asker) && Array.isArray(machineIDs) && isNodeValue(value);
}

export function readLastFailure(folder: string, label: string): LastFailure | undefined {
  const value = readOwnDocument(`${folder}/${fileName("failure", label)}`);
  const good = value && typeof value["at"] === "number" && typeof value["reason"] === "string";
  return good ? (value as LastFailure) : undefined;
}

export function writeLastAnswer(folder: string, answer: LastAnswer): void {
  write(folder, fileName("ranges", answer.source), JSON.stringify(answer));
}

export function writeLastFailure(folder: string, label: string, failure: LastFailure): void {
  write(folder, fileName("failure", label), JSON.stringify(failure));
}

function write(folder: string, name: string, text: string): void {
  try {
    replaceFile(folder, name, text);
  } catch (error) {
    if (!isErrno(error, "ENOENT")) throw error;
    makePrivateFolder(folder);
    replaceFile(folder, name, text);
  }
}
