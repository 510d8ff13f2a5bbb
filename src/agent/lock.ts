import { linkSync, lstatSync, mkdirSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { makeBackOff } from "../daemon/back-off.ts";
import { isErrno, removeIfThere } from "../host/files.ts";
import { faultWords } from "./fault-words.ts";

/** `isHeld` is false where somebody took the lock's file away: then another agent may be working, too. */
export type Lock = { isHeld(): boolean; release(): Promise<void> };

const name = "agent.sock";
/** Milliseconds: one that hasn't said who it is by then is stopped, or very busy. */
const holderSpeaksWithin = 2000;
/** Of a socket's path, in bytes (sun_path, less its last NUL). */
const longestPath = 107;

/** `onWait` hears whom we wait for, or why it can't be taken; each of these words once in a row. */
type Waiting = { signal: AbortSignal; onWait: (words: string, isFault: boolean) => void };

/**
 * One agent a node. The lock is a socket that its holder listens on: pods share neither process numbers nor network namespaces, but they
 * share the host's folder; and the kernel closes the socket however the holder dies. Rejects where the signal is aborted.
 */
export async function acquireLock(folder: string, self: string, { signal, onWait }: Waiting): Promise<Lock> {
  const path = `${folder}/${name}`;
  const backOff = makeBackOff(500, 30_000);
  for (;;) {
    signal.throwIfAborted();
    try {
      const lock = await tryLock(folder, path, self);
      if (lock) return lock;
      const holder = await meetHolder(path);
      if (holder) {
        onWait(
          `another agent is at work on this node (${holder.words}): this one waits until it ends`,
          false,
        );
        await holder.untilGone(signal);
      } else {
        removeStale(path);
        await pause(10);
      }
      backOff.reset();
    } catch (error) {
      onWait(`the lock ${path} can't be taken: ${faultWords(error)}`, true);
      await backOff.wait(signal);
    }
  }
}

/** Undefined where another one's is there, living or dead. */
async function tryLock(folder: string, path: string, self: string): Promise<Lock | undefined> {
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  const own = `${folder}/.agent-${process.pid}-${Math.random().toString(36).slice(2, 8)}`;
  if (Buffer.byteLength(path) + 20 > longestPath) throw new Error("its path is too long for a socket");
  const server = await listen(own, self);
  try {
    linkSync(own, path);
  } catch (error) {
    await close(server);
    removeIfThere(own);
    if (isErrno(error, "EEXIST")) return undefined;
    throw error;
  }
  const ino = inodeOf(path);
  removeIfThere(own);
  const isHeld = () => inodeOf(path) === ino;
  return {
    isHeld,
    release: async () => {
      if (isHeld()) removeIfThere(path);
      await close(server);
    },
  };
}

const guests = new WeakMap<Server, Set<Socket>>();

function listen(path: string, self: string): Promise<Server> {
  const waiting = new Set<Socket>();
  const server = createServer((socket) => {
    waiting.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => waiting.delete(socket));
    socket.write(`${self}\n`);
  });
  guests.set(server, waiting);
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, () => {
      server.unref();
      resolve(server);
    });
  });
}

function close(server: Server): Promise<void> {
  for (const socket of guests.get(server) ?? []) socket.destroy();
  return new Promise((resolve) => server.close(() => resolve()));
}

type Holder = { words: string; untilGone(signal: AbortSignal): Promise<void> };

/** Who listens there; undefined where nobody does. One that is stopped doesn't say who it is, but is there. */
async function meetHolder(path: string): Promise<Holder | undefined> {
  const socket = connect(path);
  const [here, gone, said] = [
    Promise.withResolvers<boolean>(),
    Promise.withResolvers<void>(),
    Promise.withResolvers<string>(),
  ];
  socket.on("connect", () => here.resolve(true));
  socket.on("data", (data) => said.resolve(String(data).trim()));
  socket.on("close", () => gone.resolve());
  socket.on("error", (error) => {
    if (isErrno(error, "ECONNREFUSED", "ENOENT")) here.resolve(false);
    else here.reject(error);
  });
  if (!(await here.promise)) return undefined;
  const words = Promise.race([said.promise, gone.promise.then(() => ""), pause(holderSpeaksWithin, "")]);
  return {
    words: (await words) || "it doesn't say which",
    untilGone: async (signal) => {
      const leave = () => socket.destroy();
      signal.addEventListener("abort", leave, { once: true });
      await gone.promise;
      signal.removeEventListener("abort", leave);
    },
  };
}

/**
 * Takes a dead one's socket away. Of several that found it dead, only who gives it this second name may: the others come too late, and
 * find either that name, or another socket under the first one, which stays.
 */
function removeStale(path: string): void {
  const dead = inodeOf(path);
  if (dead === undefined) return;
  const second = `${path}.dead-${dead}`;
  try {
    linkSync(path, second);
  } catch (error) {
    if (isErrno(error, "ENOENT")) return;
    if (!isErrno(error, "EEXIST")) throw error;
    if (isLeft(second)) removeIfThere(second);
    return;
  }
  if (inodeOf(second) === dead) removeIfThere(path);
  removeIfThere(second);
}

/** Who made it was killed in the middle of its few system calls. */
function isLeft(path: string): boolean {
  const age = Date.now() - (lstatSync(path, { throwIfNoEntry: false })?.ctimeMs ?? Date.now());
  return age > 5000 || age < 0;
}

function inodeOf(path: string): number | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false })?.ino;
  } catch (error) {
    if (isErrno(error, "ENOTDIR")) return undefined; // Its folder is gone, and something else in that place.
    throw error;
  }
}
