import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { callPlugin } from "./plugin.ts";
import { hostLocals, mainPlugins, whatLacks } from "./tools.ts";

describe("a requirement", () => {
  it("gives a skipped test its reason", () => {
    expect(whatLacks({}, {})).toEqual({ some: false, words: "" });
    expect(whatLacks({ missing: "root" }, {}, { missing: "strace" })).toEqual({
      some: true,
      words: " (skipped without root, strace)",
    });
  });
});

const all = hostLocals();
const lack = whatLacks(all.length > 0 ? {} : { missing: "host-local" }, mainPlugins());

describe.skipIf(lack.some)(`each host-local${lack.words}`, () => {
  it("is listed once, by its version", () => {
    const labels = all.map(({ label }) => label);
    expect(new Set(labels).size).toBe(labels.length);
    for (const label of labels) expect(label).toMatch(/\d+\.\d+\.\d+/);
  });

  it.each(all)("$label has a CNI_PATH of its own, with the main plugins", async ({ path, folder }) => {
    expect(readdirSync(folder)).toEqual(expect.arrayContaining(["host-local", "bridge", "ptp", "loopback"]));
    const [own, linked] = await Promise.all(
      [path, `${folder}/host-local`].map((program) => callPlugin({ command: [program], verb: "VERSION" })),
    );
    expect(own).toMatchObject({
      exitCode: 0,
      json: { supportedVersions: expect.arrayContaining(["1.0.0"]) },
    });
    expect(linked?.json).toEqual(own?.json);
  });
});
