import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http2";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

type States = Record<string, "ready" | "not ready">;

/** Sandboxes as a container runtime serves them by CRI on a unix socket; test/agent/sandboxes.test.ts holds a real one beside it. */
export async function startRuntime(states: States): Promise<{ socket: string }> {
  const folder = mkdtempSync(join(tmpdir(), "cri-"));
  const socket = join(folder, "cri.sock");
  const server = createServer();
  server.on("stream", (stream, headers) => {
    const isKnown = headers[":path"] === "/runtime.v1.RuntimeService/ListPodSandbox";
    stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": isKnown ? "0" : "12" }));
    stream.end(isKnown ? frame(answer(states)) : undefined);
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  onTestFinished(() => {
    server.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return { socket };
}

/** ListPodSandboxResponse of cri-api's runtime/v1: items = 1 with id = 1, metadata = 2, state = 3, created_at = 4. */
export function answer(states: States): Buffer {
  return Buffer.concat(
    Object.entries(states).map(([id, state]) =>
      bytes(1, [
        bytes(1, [Buffer.from(id)]),
        bytes(
          2,
          ["a-pod", "uid-1", "web"].map((text, i) => bytes(i + 1, [Buffer.from(text)])),
        ),
        ...(state === "ready" ? [] : [Buffer.from([0x18, 1])]),
        Buffer.from([0x20, 0x80, 0xf0, 0xcb, 0xd5, 0xb1, 0xa2, 0x9a, 0x18]),
      ]),
    ),
  );
}

export function frame(message: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

function bytes(number: number, parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([varint(number * 8 + 2), varint(body.length), body]);
}

function varint(value: number): Buffer {
  const rest = Math.floor(value / 128);
  return rest === 0
    ? Buffer.from([value])
    : Buffer.concat([Buffer.from([(value % 128) | 0x80]), varint(rest)]);
}
