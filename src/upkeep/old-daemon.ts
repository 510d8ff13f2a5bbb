import { connect } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { listFolder, readText } from "../host/files.ts";
import { nvIpamSocket } from "../lease/nv-ipam-store.ts";

/** How nv-ipam's daemon shows that it is at work, in words; undefined where nothing is seen of it. */
export async function seeOldDaemon(socket = nvIpamSocket): Promise<string | undefined> {
  if (await answers(socket)) return `its socket ${socket} answers`;
  const pid = listFolder("/proc").find((name) => /^\d+$/.test(name) && isDaemon(name));
  return pid === undefined ? undefined : `process ${pid} is its daemon`;
}

/** A daemon that is stopped has a socket that takes connections all the same: it may go on at any time. */
async function answers(path: string): Promise<boolean> {
  const socket = connect(path);
  const connected = new Promise<boolean>((resolve) => {
    socket.once("connect", () => resolve(true));
    socket.once("error", () => resolve(false));
  });
  const isThere = await Promise.race([connected, pause(1000, true)]);
  socket.destroy();
  return isThere;
}

function isDaemon(pid: string): boolean {
  try {
    const [program = ""] = (readText(`/proc/${pid}/cmdline`) ?? "").split("\0");
    return /(?:^|\/)ipam-node$/.test(program);
  } catch {
    return false; // It ended meanwhile.
  }
}
