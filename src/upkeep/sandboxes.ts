import { connect as connectHttp2 } from "node:http2";
import { connect } from "node:net";
import { field, fields, textOf } from "./protobuf.ts";

/** What a container runtime says of a sandbox: whose it is, too. */
export type Sandbox = {
  state: "ready" | "not ready";
  pod: { namespace?: string; name?: string; uid?: string };
};

/** By their ids: CNI's container ids. */
export type Sandboxes = ReadonlyMap<string, Sandbox>;

const path = "/runtime.v1.RuntimeService/ListPodSandbox";
const longestAnswer = 64 << 20;

/**
 * Asks the runtime at this unix socket by CRI (kubernetes/cri-api, runtime/v1/api.proto), one gRPC call with an empty
 * request. Throws an Error in words.
 */
export async function listSandboxes(socket: string, timeoutMs = 10_000): Promise<Sandboxes> {
  const words = (what: string) => new Error(`the container runtime at ${socket} ${what}`);
  return await new Promise((resolve, reject) => {
    const session = connectHttp2("http://localhost", { createConnection: () => connect(socket) });
    const timer = setTimeout(() => fail(`did not answer within ${timeoutMs / 1000} s`), timeoutMs);
    const chunks: Buffer[] = [];
    let length = 0;
    let status: unknown;
    let message: unknown;

    function end(): void {
      clearTimeout(timer);
      session.destroy();
    }
    function fail(what: string): void {
      end();
      reject(words(what));
    }
    session.on("error", (error: Error) => fail(`can't be asked: ${error.message}`));
    const request = session.request({
      ":method": "POST",
      ":path": path,
      "content-type": "application/grpc",
      te: "trailers",
    });
    request.on("error", (error: Error) => fail(`can't be asked: ${error.message}`));
    for (const kind of ["response", "trailers"] as const)
      request.on(kind, (headers: Record<string, unknown>) => {
        status = headers["grpc-status"] ?? status;
        message = headers["grpc-message"] ?? message;
      });
    request.on("data", (chunk: Buffer) => {
      length += chunk.length;
      if (length > longestAnswer) fail("gave an answer that is too long");
      else chunks.push(chunk);
    });
    request.on("end", () => {
      end();
      try {
        if (String(status) !== "0") throw words(`refused: ${String(message ?? `gRPC status ${status}`)}`);
        resolve(readSandboxes(Buffer.concat(chunks)));
      } catch (error) {
        reject(error as Error);
      }
    });
    request.end(Buffer.alloc(5)); // A frame: not compressed, no bytes, which is a request without a filter.
  });
}

/** One gRPC frame with a ListPodSandboxResponse: items = 1, of which id = 1, metadata = 2, state = 3 (0, the default, is ready). */
export function readSandboxes(frame: Uint8Array): Sandboxes {
  const isWhole =
    frame.length >= 5 && new DataView(frame.buffer, frame.byteOffset).getUint32(1) === frame.length - 5;
  if (!isWhole || frame[0] !== 0) throw new Error("the container runtime gave no gRPC frame");
  const items = fields(frame.subarray(5)).filter(({ number }) => number === 1);
  return new Map(
    items.map(({ bytes }) => {
      const sandbox = fields(bytes);
      const state = field(sandbox, 3)?.value ? "not ready" : "ready";
      return [textOf(field(sandbox, 1)), { state, pod: readPod(field(sandbox, 2)) }];
    }),
  );
}

/** PodSandboxMetadata: name = 1, uid = 2, namespace = 3. */
function readPod(metadata: ReturnType<typeof field>): Sandbox["pod"] {
  const all = metadata ? fields(metadata.bytes) : [];
  const [name, uid, namespace] = [1, 2, 3].map((number) => textOf(field(all, number)));
  return { ...(namespace && { namespace }), ...(name && { name }), ...(uid && { uid }) };
}
