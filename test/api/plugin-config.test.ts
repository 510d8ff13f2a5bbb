import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isProgramName, ownKeys, readConfig, reservedKeys } from "../../src/api/plugin-config.ts";
import { explainConfig } from "../../src/api/plugin-config-explained.ts";
import { fold } from "../../src/text/fold.ts";
import type { JsonObject } from "../../src/text/json.ts";

describe("readConfig", () => {
  it("reads every key of ours", () => {
    const ipam = {
      type: "kube-node",
      annotation: "example.com/net1",
      dataDir: "/run/net1",
      "ipv4-namespaces": ["kube-system", "old"],
      kubeconfig: "/etc/k",
      logfile: "/var/log/k",
      loglevel: "debug",
      nodeName: "node-a",
      cacheTTL: 0,
      timeout: 20.5,
      nextipam: "other",
    };
    const { type: _, "ipv4-namespaces": ipv4Namespaces, ...rest } = ipam;
    expect(readConfig(ipam)).toEqual({ config: { ...rest, ipv4Namespaces }, rest: {} });
  });

  it.each([null, ""])("takes %j for absent", (value) => {
    const ipam = Object.fromEntries(ownKeys.map((key) => [key, value]));
    expect(readConfig(ipam)).toEqual({ config: {}, rest: {} });
  });

  it("of what is printed is the same, in whatever letter case its keys are, and so is what it prints", () => {
    const text = fc.string({ minLength: 1 }).filter((value) => !value.includes("\0"));
    const seconds = fc.double({ min: 0, noNaN: true, noDefaultInfinity: true }).map((value) => value + 0);
    const config = fc.record(
      {
        pool: fc.stringMatching(/^[a-z0-9]([a-z0-9]{0,9}[a-z0-9])?$/),
        poolType: fc.constantFrom("ippool", "IPPool", "CIDRPOOL"),
        dataDir: text,
        ipv4Namespaces: fc.array(text),
        kubeconfig: text,
        logfile: text,
        loglevel: text,
        nodeName: text,
        cacheTTL: seconds,
        timeout: fc.double({ min: 2, max: 220, noNaN: true }),
        nextipam: fc.stringMatching(/^[a-z][a-z0-9.-]{0,20}$/).filter(isProgramName),
      },
      { requiredKeys: [] },
    );
    const isOurs = (key: string) => [...ownKeys, ...reservedKeys].some((own) => fold(own) === fold(key));
    const others = fc
      .dictionary(fc.string(), fc.json().map(JSON.parse))
      .map((keys) => Object.fromEntries(Object.entries(keys).filter(([key]) => !isOurs(key))));
    const spelling = fc.constantFrom(
      (key: string) => key,
      (key: string) => key.toUpperCase(),
      (key: string) => key.toLowerCase(),
    );
    fc.assert(
      fc.property(config, others, spelling, ({ ipv4Namespaces, ...given }, rest, spell) => {
        const own = { ...given, ...(ipv4Namespaces && { "ipv4-namespaces": ipv4Namespaces }) };
        const spelled = Object.fromEntries(Object.entries(own).map(([key, value]) => [spell(key), value]));
        const read = readConfig(JSON.parse(JSON.stringify({ type: "kube-node", ...spelled, ...rest })));
        const whole = { ...given, ...(ipv4Namespaces && { ipv4Namespaces }) };
        expect(read).toEqual({ config: whole, rest });
        expect(readConfig(JSON.parse(JSON.stringify({ ...own, ...read?.rest })))).toEqual(read);
      }),
    );
  });

  it("keeps an empty list of namespaces, which is not the same as none", () => {
    expect(readConfig({ "ipv4-namespaces": [] })?.config).toEqual({ ipv4Namespaces: [] });
  });

  it("takes a number of verbosity, as the original did", () => {
    expect(readConfig({ loglevel: 2 })?.config).toEqual({ loglevel: "2" });
  });

  it("passes on what isn't ours", () => {
    const rest = { routes: [{ dst: "0.0.0.0/0" }], resolvConf: "/etc/resolv.conf", "x-y": null };
    expect(readConfig({ type: "kube-node", ...rest })).toEqual({ config: {}, rest });
  });

  it("passes on every key that isn't ours, whatever it is called", () => {
    const rest = fc.dictionary(
      fc.oneof(fc.string(), fc.constant("__proto__")),
      fc.jsonValue({ maxDepth: 1 }),
      {
        noNullPrototype: true,
      },
    );
    fc.assert(
      fc.property(rest, (ipam) => {
        const known = [...ownKeys, ...reservedKeys].map(fold);
        if (Object.keys(ipam).some((key) => known.includes(fold(key)))) return;
        expect(Object.entries(readConfig(ipam)?.rest ?? {})).toEqual(Object.entries(ipam));
      }),
    );
  });
});

describe("the quick checks and the explanation have the same verdict", () => {
  const known = fc.constantFrom(...ownKeys, ...reservedKeys);
  const anyCase = known.chain((key) =>
    fc
      .array(fc.boolean(), { minLength: key.length, maxLength: key.length })
      .map((upper) => [...key].map((c, i) => (upper[i] ? c.toUpperCase() : c)).join("")),
  );
  const odd = known.map((key) => key.replace("s", "\u017f").replace("k", "\u212a"));
  const key = fc.oneof({ weight: 6, arbitrary: known }, anyCase, odd, fc.string(), fc.constant("__proto__"));
  const value = fc.oneof(
    fc.constantFrom<unknown>(
      null,
      "",
      "a",
      "a\0b",
      "a/b",
      "a,b",
      "CIDRPool",
      "..",
      "kube-node",
      "host-local",
      [],
      ["a"],
      ["a\0"],
    ),
    fc.constantFrom<unknown>(0, -1, 1.5, 2, 220, 221, 1.99, -0, 1e300, 2 ** 53, Number.POSITIVE_INFINITY),
    fc.constantFrom<unknown>(true, {}, [""], [null], [["a"]], "\ud800", "trace", " "),
    fc.jsonValue({ maxDepth: 2 }),
  );
  const ipam = fc
    .array(fc.tuple(key, value), { maxLength: 5 })
    .map((members) => Object.fromEntries(members) as JsonObject);

  it("on any ipam", () => {
    fc.assert(fc.property(ipam, expectSameVerdict), { numRuns: 10_000 });
  });

  it.each([
    { cacheTTL: Number.POSITIVE_INFINITY },
    { timeout: Number.POSITIVE_INFINITY },
    { loglevel: 1e300 },
    { cacheTTL: 1e300 },
    { timeout: 2 },
    { timeout: 220 },
    { timeout: 1.999 },
    { nextipam: " " },
    { nextipam: "a b" },
    { "ipv4-namespaces": "" },
  ])("on %j", expectSameVerdict);

  it("on keys that come twice, in any letter case", () => {
    const twice = fc.tuple(fc.constantFrom(...ownKeys), value, value);
    fc.assert(
      fc.property(twice, ([key, one, other]) => {
        const ipam = { [key]: one, [key.toUpperCase()]: other };
        expectSameVerdict(ipam);
        expect(readConfig(ipam)).toBeUndefined();
      }),
    );
  });
});

describe("what is wrong with ipam", () => {
  it.each<[JsonObject, RegExp]>([
    [{ annotation: 5 }, /^ipam\.annotation: .*expected string, received number$/],
    [{ dataDir: ["/a"] }, /^ipam\.dataDir: .*expected string/],
    [{ dataDir: "a\0b" }, /^ipam\.dataDir: expected a string without NUL$/],
    [{ kubeconfig: {} }, /^ipam\.kubeconfig: .*expected string/],
    [{ nodeName: true }, /^ipam\.nodeName: .*expected string/],
    [{ logfile: 1 }, /^ipam\.logfile: .*expected string/],
    [{ loglevel: 1.5 }, /^ipam\.loglevel: .*expected int/],
    [{ "ipv4-namespaces": "kube-system" }, /^ipam\.ipv4-namespaces: .*expected array/],
    [{ "ipv4-namespaces": ["a", 5] }, /^ipam\.ipv4-namespaces\[1\]: .*expected string/],
    [{ cacheTTL: -1 }, /^ipam\.cacheTTL: .*>=\s?0/],
    [{ timeout: 1 }, /^ipam\.timeout: .*>=\s?2/],
    [{ timeout: 1000 }, /^ipam\.timeout: .*<=\s?220/],
    [{ timeout: "15" }, /^ipam\.timeout: .*expected number, received string/],
    [
      { nextipam: "/bin/sh" },
      /^ipam\.nextipam: expected the bare name of a program in CNI_PATH, without "\/"/,
    ],
    [{ nextipam: "kube-node" }, /^ipam\.nextipam: .*not kube-node, node-annotation, nv-ipam$/],
    [{ pool: "a,a" }, /^ipam\.pool: expected the name of a pool, or of two/],
    [{ poolName: "A" }, /^ipam\.poolName: expected the name/],
    [{ poolType: "pool" }, /^ipam\.poolType: expected ippool or cidrpool$/],
    [{ annotation: "k", pool: "a" }, /^ipam\.pool: beside annotation: /],
    [{ pool: "a", PoolName: "a" }, /^ipam\.PoolName: the same as pool/],
    [{ ranges: [] }, /^ipam\.ranges: not allowed here.*annotate the Node instead$/],
    [{ RANGESTART: "a" }, /^ipam\.RANGESTART: not allowed here/],
    [{ "range\u017f": [] }, /^ipam\.range\u017f: not allowed here/],
    [{ dataDir: "/a", datadir: "/b" }, /^ipam\.dataDir: the same key as datadir: write dataDir once/],
  ])("%j", (ipam, line) => {
    expect(readConfig(ipam)).toBeUndefined();
    expect(explainConfig(ipam)[0]).toMatch(line);
  });

  it("says all of it, a line a fault", () => {
    expect(explainConfig({ annotation: 5, timeout: 0, nextipam: "a/b" })).toHaveLength(3);
  });

  it.each(reservedKeys)("%s is reserved", (key) => {
    for (const spelling of [key, key.toUpperCase(), key.toLowerCase()])
      expect(explainConfig({ [spelling]: "10.0.0.1" })).toHaveLength(1);
  });
});

describe("isProgramName", () => {
  it.each(["host-local", "a", "my.ipam", "a..b", "日本"])("%j may be run", (name) => {
    expect(isProgramName(name)).toBe(true);
  });

  it.each(["/bin/sh", "a/b", "..", ".", "a b", "a\n", "a\0", "kube-node", "node-annotation", 5, null, ["a"]])(
    "%j may not",
    (name) => {
      expect(isProgramName(name)).toBe(false);
    },
  );
});

function expectSameVerdict(ipam: JsonObject): void {
  expect({ ipam, faults: explainConfig(ipam).length > 0 }).toEqual({
    ipam,
    faults: readConfig(ipam) === undefined,
  });
}
