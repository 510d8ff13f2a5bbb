import { existsSync, mkdirSync, readFileSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseNetwork } from "../../src/cni/network.ts";
import { versions } from "../../src/cni/versions.ts";
import { callDelegate, delegateVersions } from "../../src/plugin/delegate.ts";
import { rememberedVersion, rememberVersion } from "../../src/plugin/delegate-version.ts";
import { findDelegate } from "../../src/request/find-delegate.ts";
import { testFolder } from "../host/folder.ts";
import { makeDelegate, makeRequest } from "./request-parts.ts";

describe("findDelegate", () => {
  it("takes the first regular file of that name", () => {
    const [a, b, c] = [testFolder(), testFolder(), testFolder()];
    mkdirSync(join(a, "host-local"));
    symlinkSync("nowhere", join(b, "host-local"));
    writeFileSync(join(c, "real"), "", { mode: 0o755 });
    symlinkSync("real", join(c, "host-local"));
    expect(findDelegate({ name: "host-local", folders: ["/absent", a, b, c] })).toBe(join(c, "host-local"));
  });

  it("takes the path that the node's own file gives, and looks nowhere else", () => {
    const { path, folder } = makeDelegate("");
    expect(findDelegate({ name: "host-local", path, folders: [] })).toBe(path);
    expect(() => findDelegate({ name: "host-local", path: "/absent/host-local", folders: [folder] })).toThrow(
      expect.objectContaining({ code: 5, details: expect.stringContaining("no file /absent/host-local") }),
    );
  });

  it("says where it looked", () => {
    expect(() => findDelegate({ name: "fish", folders: ["/a", "/b"] })).toThrow(
      expect.objectContaining({
        code: 5,
        message: "delegate plugin fish not found",
        details: expect.stringContaining("looked in /a, /b"),
      }),
    );
  });

  it("says that it can't be executed", () => {
    const folder = testFolder();
    writeFileSync(join(folder, "host-local"), "", { mode: 0o644 });
    expect(() => findDelegate({ name: "host-local", folders: [folder] })).toThrow(
      expect.objectContaining({ code: 5, details: `chmod +x ${folder}/host-local` }),
    );
  });
});

/** Speaks these versions and no others; notes each configuration that it gets in `calls`. */
function speaker(spoken: readonly string[]): ReturnType<typeof makeDelegate> & { calls: () => object[] } {
  const calls = join(testFolder(), "calls");
  const script = `
    input=$(cat)
    [ "$CNI_COMMAND" != VERSION ] || { echo '{"cniVersion":"1.0.0","supportedVersions":${JSON.stringify(spoken)}}'; exit; }
    printf '%s\\n' "$input" >>${calls}
    version=$(printf %s "$input" | sed 's/.*"cniVersion":"\\([0-9.]*\\)".*/\\1/')
    case " ${spoken.join(" ")} " in
      *" $version "*) ;;
      *) echo '{"code":1,"msg":"incompatible CNI versions"}'; exit 1 ;;
    esac
    case $version in
      0.[12].*) echo '{"cniVersion":"'$version'","ip4":{"ip":"10.1.2.3/24","gateway":"10.1.2.1"}}' ;;
      0.*) echo '{"cniVersion":"'$version'","ips":[{"version":"4","address":"10.1.2.3/24","gateway":"10.1.2.1"}]}' ;;
      *) echo '{"cniVersion":"'$version'","ips":[{"address":"10.1.2.3/24","gateway":"10.1.2.1"}]}' ;;
    esac`;
  const read = () => (existsSync(calls) ? readFileSync(calls, "utf8") : "").trim().split("\n");
  return { ...makeDelegate(script), calls: () => read().map((line) => JSON.parse(line) as object) };
}

function requestIn(cniVersion: string, more: object = {}) {
  const text = JSON.stringify({ cniVersion, name: "net1", ipam: {}, ...more });
  return makeRequest({ network: parseNetwork(text), env: { CNI_COMMAND: "ADD", PATH: process.env["PATH"] } });
}

describe("callDelegate", () => {
  const olds = versions.filter((version) => version !== "1.1.0");

  it.each(versions)("gets a result in %s from a delegate that speaks everything, as it is", async (asked) => {
    const request = requestIn(asked);
    const { path, calls } = speaker(versions);
    const answer = await callDelegate(request, path, request.network.raw, request.env);
    expect(JSON.parse(answer)).toMatchObject({ cniVersion: asked });
    expect(calls()).toHaveLength(1);
  });

  it("goes down to what the delegate speaks, and puts the result back", async () => {
    const request = requestIn("1.1.0");
    mkdirSync(request.state.folder, { recursive: true });
    const { path, calls } = speaker(olds);
    const answer = JSON.parse(await callDelegate(request, path, request.network.raw, request.env)) as object;
    expect(answer).toEqual({ cniVersion: "1.1.0", ips: [{ address: "10.1.2.3/24", gateway: "10.1.2.1" }] });
    expect(calls()).toMatchObject([{ cniVersion: "1.1.0" }, { cniVersion: "1.0.0" }]);
    await callDelegate(request, path, request.network.raw, request.env);
    expect(calls().slice(2)).toMatchObject([{ cniVersion: "1.0.0" }]);
  });

  it("asks a replaced delegate anew", async () => {
    const request = requestIn("1.1.0");
    const { path, calls } = speaker(olds);
    await callDelegate(request, path, request.network.raw, request.env);
    utimesSync(path, 1, 1);
    await callDelegate(request, path, request.network.raw, request.env);
    expect(calls().slice(2)).toMatchObject([{ cniVersion: "1.1.0" }, { cniVersion: "1.0.0" }]);
  });

  it.each([
    ["1.1.0", ["0.2.0"], { ips: [{ address: "10.1.2.3/24", gateway: "10.1.2.1" }] }],
    ["0.2.0", ["1.0.0"], { ip4: { ip: "10.1.2.3/24", gateway: "10.1.2.1" } }],
    ["0.4.0", ["0.2.0"], { ips: [{ version: "4", address: "10.1.2.3/24", gateway: "10.1.2.1" }] }],
  ])("answers in %s over a delegate that speaks only %j", async (asked, spoken, result) => {
    const request = requestIn(asked);
    const answer = await callDelegate(request, speaker(spoken).path, request.network.raw, request.env);
    expect(JSON.parse(answer)).toEqual({ cniVersion: asked, ...result });
  });

  it("brings prevResult into the version that it comes in", async () => {
    const prevResult = { cniVersion: "1.1.0", ips: [{ address: "10.9.9.9/24" }] };
    const request = requestIn("1.1.0", { prevResult });
    const { path, calls } = speaker(["0.2.0"]);
    await callDelegate(request, path, request.network.raw, request.env);
    expect(calls()[1]).toMatchObject({ prevResult: { cniVersion: "0.2.0", ip4: { ip: "10.9.9.9/24" } } });
  });

  it("passes on the refusal of a delegate with which no version is shared", async () => {
    const request = requestIn("1.0.0");
    await expect(
      callDelegate(request, speaker(["9.9.9"]).path, request.network.raw, request.env),
    ).rejects.toMatchObject({ code: 1, message: "incompatible CNI versions" });
  });

  it("leaves prevResult that is rubbish to the delegate", async () => {
    for (const prevResult of ["fish", 5, [], { ips: 5 }, { ips: [null] }, { ip4: [] }]) {
      const request = requestIn("1.1.0", { prevResult });
      const answer = await callDelegate(request, speaker(["0.2.0"]).path, request.network.raw, request.env);
      expect(JSON.parse(answer)).toMatchObject({ cniVersion: "1.1.0" });
    }
  });
});

describe("delegateVersions", () => {
  it.each([
    [`echo '{"supportedVersions":["1.0.0"]}'`, ["1.0.0"]],
    [`echo '{"supportedVersions":"1.0.0"}'`, []],
    ["echo rubbish", []],
    ["exit 1", []],
    [`echo '{"supportedVersions":["1.0.0"]}'; exit 1`, ["1.0.0"]],
  ])("of %s are %j", async (script, spoken) => {
    expect(await delegateVersions(makeRequest(), makeDelegate(script).path)).toEqual(spoken);
  });
});

describe("what is remembered of a delegate's version", () => {
  it("is of this very file", () => {
    const [folder, { path }] = [testFolder(), makeDelegate("")];
    expect(rememberedVersion(folder, path, "1.1.0")).toBeUndefined();
    rememberVersion(folder, path, "1.1.0", "1.0.0");
    expect(rememberedVersion(folder, path, "1.1.0")).toBe("1.0.0");
    writeFileSync(path, "changed");
    expect(rememberedVersion(folder, path, "1.1.0")).toBeUndefined();
  });

  it("is nothing where it was damaged, or can't be kept", () => {
    const [folder, { path }] = [testFolder(), makeDelegate("")];
    rememberVersion(folder, path, "1.1.0", "1.0.0");
    for (const text of [
      "",
      "\0\0",
      "x\n1.0.0",
      `${readFileSync(join(folder, "version-host-local"), "utf8").split("\n")[0]}\n9`,
    ]) {
      writeFileSync(join(folder, "version-host-local"), text);
      expect(rememberedVersion(folder, path, "1.1.0")).toBeUndefined();
    }
    expect(() => rememberVersion("/sys/kernel", path, "1.1.0", "1.0.0")).not.toThrow();
  });

  it("is not needed for versions that every release speaks", () => {
    const [folder, { path }] = [testFolder(), makeDelegate("")];
    rememberVersion(folder, path, "1.0.0", "0.4.0");
    expect(rememberedVersion(folder, path, "1.0.0")).toBeUndefined();
  });
});
