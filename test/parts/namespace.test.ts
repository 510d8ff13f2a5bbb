import { afterAll, describe, expect, it } from "vitest";
import * as net from "./namespace.ts";
import { namespaces, whatLacks } from "./tools.ts";

const lack = whatLacks(namespaces());

describe.skipIf(lack.some)(`network namespaces${lack.words}`, () => {
  const made: net.Namespace[] = [];
  function make(label: string): net.Namespace {
    const namespace = net.makeNamespace(label);
    made.push(namespace);
    return namespace;
  }
  afterAll(() => net.removeNamespaces(made));

  it("reach each other over both families, through a router and its bridge", async () => {
    const [near, router, far] = [make("near"), make("router"), make("far")];
    net.addBridge(router, "br0", ["192.0.2.1/24", "2001:db8:1::1/64"]);
    net.allowForwarding(router);
    net.connect(
      { namespace: near, link: "eth0", addresses: ["192.0.2.2/24", "2001:db8:1::2/64"] },
      { namespace: router, link: "port1", bridge: "br0" },
    );
    net.connect(
      { namespace: far, link: "eth0", addresses: ["198.51.100.2/24", "2001:db8:2::2/64"] },
      { namespace: router, link: "uplink", addresses: ["198.51.100.1/24", "2001:db8:2::1/64"] },
    );
    for (const via of ["192.0.2.1", "2001:db8:1::1"]) net.addRoute(near, "default", via);
    for (const via of ["198.51.100.1", "2001:db8:2::1"]) net.addRoute(far, "default", via);

    for (const address of ["198.51.100.2", "2001:db8:2::2"]) {
      expect(await net.ping(near, address)).toMatchObject({ reached: true });
    }
    expect(await net.ping(near, "198.51.100.3")).toMatchObject({ reached: false });
    expect(net.addressesOf(far, "eth0")).toEqual(["198.51.100.2/24", "2001:db8:2::2/64"]);
    expect(net.linksOf(router)).toEqual(expect.arrayContaining(["lo", "br0", "port1", "uplink"]));
  });

  it("can be wired to the machine's own, and take that wire with them", async () => {
    const pod = make("wired");
    const link = `kn${process.pid}`;
    net.connect(
      { link, addresses: ["203.0.113.1/30"] },
      { namespace: pod, link: "eth0", addresses: ["203.0.113.2/30"] },
    );
    expect(await net.ping(pod, "203.0.113.1")).toMatchObject({ reached: true });
    net.removeNamespaces([pod]);
    expect(net.linksOf()).not.toContain(link);
  });

  it("left by a killed process are swept up by their run's name", () => {
    const { name } = net.makeNamespace("forgotten");
    expect(net.sweepNamespaces((other) => other.endsWith("-forgotten"))).toContain(name);
  });
});
