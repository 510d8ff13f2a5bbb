import { linkSync, lstatSync, mkdirSync, renameSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { isErrno, removeIfThere } from "../host/files.ts";
import { makeBackOff } from "./back-off.ts";
import { faultWords } from "./fault-words.ts";

/** `isHeld` is false where somebody took the lock's file away: then another agent may be working, too. */
export type Lock = { isHeld(): boolean; release(): Promise<void> };

const name = "agent.sock";
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
      } else await removeStale(path);
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
function meetHolder(path: string): Promise<Holder | undefined> {
  const socket = connect(path);
  let text = "";
  const { promise: gone, resolve: go } = Promise.withResolvers<void>();
  socket.on("data", (data) => {
    text += String(data).slice(0, 200);
  });
  socket.on("close", () => go());
  return new Promise((resolve, reject) => {
    socket.on("error", (error) => {
      if (isErrno(error, "ECONNREFUSED", "ENOENT")) resolve(undefined);
      else reject(error);
    });
    socket.once("connect", () => {
      const settle = async () => {
        await Promise.race([gone, pause(300)]);
        resolve({ words: text.trim() || "it doesn't say which", untilGone });
      };
      void settle();
    });
  });

  async function untilGone(signal: AbortSignal): Promise<void> {
    const leave = () => socket.destroy();
    signal.addEventListener("abort", leave, { once: true });
    await gone;
    signal.removeEventListener("abort", leave);
  }
}

/** Of several that find it dead, one takes it away; who has taken away a living one's, since that came in between, puts it back. */
async function removeStale(path: string): Promise<void> {
  const aside = `${path}.${process.pid}-${Date.now()}`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if (isErrno(error, "ENOENT")) return;
    throw error;
  }
  if ((await meetHolder(aside)) !== undefined) linkQuietly(aside, path);
  removeIfThere(aside);
}

function linkQuietly(existing: string, path: string): void {
  try {
    linkSync(existing, path);
  } catch (error) {
    if (!isErrno(error, "EEXIST")) throw error;
  }
}

function inodeOf(path: string): number | undefined {
  return lstatSync(path, { throwIfNoEntry: false })?.ino;
}
