import { describe, expect, it } from "vitest";
import { chooseProxy } from "../../src/kube/proxy.ts";

// Go's golang.org/x/net/http/httpproxy decides the same.
describe("chooseProxy", () => {
  const HTTPS_PROXY = "http://proxy:3128";

  it.each([
    ["10.0.0.0/8", "https://10.1.2.3:6443", false],
    ["10.0.0.0/8", "https://11.1.2.3:6443", true],
    ["10.0.0.0/8", "https://ten.example:6443", true],
    ["10.1.2.3", "https://10.1.2.3:6443", false],
    ["10.1.2.3:6443", "https://10.1.2.3:6443", false],
    ["10.1.2.3:443", "https://10.1.2.3:6443", true],
    ["10.1.2.3:443", "https://10.1.2.3", false],
    ["fd00::/8", "https://[fd12::1]:6443", false],
    ["fd12:0::1", "https://[fd12::1]:6443", false],
    ["[fd12::1]:6443", "https://[fd12::1]:6443", false],
    ["[fd12::1]:443", "https://[fd12::1]:6443", true],
    ["fd12::/200", "https://[fd12::1]:6443", true],
    ["fd12::/-8", "https://[fd12::1]:6443", true],
    ["10.0.0.0/", "https://10.1.2.3:6443", true],
    ["example.com", "https://example.com", false],
    ["example.com", "https://api.example.com", false],
    ["example.com", "https://notexample.com", true],
    [".example.com", "https://api.example.com", false],
    [".example.com", "https://example.com", true],
    ["*.example.com", "https://api.example.com", false],
    ["EXAMPLE.com:6443", "https://api.example.com:6443", false],
    ["example.com:443", "https://api.example.com:6443", true],
    ["a, 10.0.0.0/8 ,b", "https://10.1.2.3:6443", false],
    ["x,*", "https://10.1.2.3:6443", false],
    [",", "https://10.1.2.3:6443", true],
    ["", "https://localhost:6443", false],
    ["", "https://127.0.0.1:6443", false],
    ["", "https://[::1]:6443", false],
  ])("NO_PROXY=%s for %s", async (NO_PROXY, server, isProxied) => {
    expect(await chooseProxy(server, { HTTPS_PROXY, NO_PROXY })).toBe(isProxied ? HTTPS_PROXY : undefined);
    expect(await chooseProxy(server, { https_proxy: HTTPS_PROXY, no_proxy: NO_PROXY })).toBe(
      isProxied ? HTTPS_PROXY : undefined,
    );
  });

  it("reads HTTP_PROXY for plain http only", async () => {
    expect(await chooseProxy("https://a", { HTTP_PROXY: "http://p" })).toBeUndefined();
    expect(await chooseProxy("http://a", { HTTP_PROXY: "http://p" })).toBe("http://p");
    expect(await chooseProxy("http://a", { HTTPS_PROXY })).toBeUndefined();
  });

  it("adds a scheme", async () => {
    expect(await chooseProxy("https://a", { HTTPS_PROXY: "p:1" })).toBe("http://p:1");
  });

  it("refuses what can't be used", async () => {
    for (const proxy of ["socks5://p:1", "http://", "ftp://x"]) {
      await expect(chooseProxy("https://a", { HTTPS_PROXY: proxy })).rejects.toMatchObject({ code: 7 });
    }
  });
});
