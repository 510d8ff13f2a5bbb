// A runtime's sandboxes by CRI: from a real containerd, and from answers that it might give.
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import { listSandboxes, readSandboxes } from "../../src/upkeep/sandboxes.ts";
import { until } from "../agent/parts/agent.ts";
import { answer, frame, startRuntime } from "../agent/parts/runtime.ts";
import { firstProgram, inPath, root, whatLacks } from "../parts/tools.ts";

const containerd = firstProgram(inPath("containerd"), "containerd");
const lack = whatLacks(containerd, root());

describe("a runtime's sandboxes", () => {
  it("are listed with their states", async () => {
    const { socket } = await startRuntime({ aa11: "ready", bb22: "not ready" });
    const pod = { namespace: "web", name: "a-pod", uid: "uid-1" };
    expect([...(await listSandboxes(socket))]).toEqual([
      ["aa11", { state: "ready", pod }],
      ["bb22", { state: "not ready", pod }],
    ]);
    await expect(listSandboxes(`${socket}.none`)).rejects.toThrow(
      /^the container runtime at .*none can't be asked/,
    );
  });

  it("are read from any answer, and a broken one is an error", () => {
    const states = fc.dictionary(
      fc.stringMatching(/^[0-9a-f]{1,64}$/),
      fc.constantFrom("ready" as const, "not ready" as const),
      { maxKeys: 40 },
    );
    fc.assert(
      fc.property(states, fc.nat(), (given, cut) => {
        const whole = frame(answer(given));
        const read = [...readSandboxes(whole)].map(([id, { state }]) => [id, state]);
        expect(Object.fromEntries(read)).toEqual({ ...given });
        const short = whole.subarray(0, cut % whole.length);
        expect(() => readSandboxes(short)).toThrow(/no gRPC frame/);
      }),
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        try {
          readSandboxes(frame(Buffer.from(bytes)));
        } catch (error) {
          expect((error as Error).message).toMatch(/no protobuf message|no gRPC frame/);
        }
      }),
    );
  });

  it.skipIf(lack.some)(
    `are none of a containerd that has none, by its own socket${lack.words}`,
    async () => {
      const folder = mkdtempSync(join(tmpdir(), "containerd-"));
      const socket = join(folder, "c.sock");
      mkdirSync(join(folder, "cni"));
      const config = [
        "version = 2",
        `root = "${folder}/root"`,
        `state = "${folder}/state"`,
        `[grpc]\n  address = "${socket}"`,
        `[ttrpc]\n  address = "${folder}/t.sock"`,
        '[plugins."io.containerd.grpc.v1.cri".containerd]\n  snapshotter = "native"',
        `[plugins."io.containerd.grpc.v1.cri".cni]\n  conf_dir = "${folder}/cni"`,
      ];
      writeFileSync(join(folder, "config.toml"), config.join("\n"));
      const child = spawn(containerd.path as string, ["-c", join(folder, "config.toml")], {
        stdio: "ignore",
      });
      onTestFinished(async () => {
        const ended = new Promise((resolve) => child.once("exit", resolve));
        child.kill("SIGTERM");
        await ended;
        rmSync(folder, { recursive: true, force: true });
      });
      await until(() => existsSync(socket), "containerd listens");
      // Its CRI comes up after its socket.
      let last: unknown;
      for (
        const end = Date.now() + 20_000;
        Date.now() < end;
        await new Promise((resolve) => setTimeout(resolve, 200))
      ) {
        last = await listSandboxes(socket).catch((error: Error) => error.message);
        if (last instanceof Map) break;
      }
      expect(last).toEqual(new Map());
    },
    40_000,
  );
});
