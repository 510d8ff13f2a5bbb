import { CniError, code } from "../cni/error.ts";
import type { Environment } from "./connection.ts";

/** The proxy that $HTTPS_PROXY (for http: $HTTP_PROXY) and $NO_PROXY choose, by the rules of Go's httpproxy, as kubectl does. */
export async function chooseProxy(server: string, env: Environment): Promise<string | undefined> {
  const url = new URL(server);
  const variable = url.protocol === "https:" ? "HTTPS_PROXY" : "HTTP_PROXY";
  const proxy = read(env, variable);
  if (proxy === undefined || (await isExcepted(url, read(env, "NO_PROXY") ?? ""))) return undefined;
  const full = /^[a-z][a-z0-9+.-]*:\/\//i.test(proxy) ? proxy : `http://${proxy}`;
  if (/^https?:/i.test(full) && URL.canParse(full)) return full;
  const remedy = "expected http://HOST:PORT or https://HOST:PORT, or the API server's address in $NO_PROXY";
  throw new CniError(code.invalidConfig, `$${variable} names no proxy that can be used here`, remedy);
}

function read(env: Environment, name: string): string | undefined {
  return env[name] || env[name.toLowerCase()] || undefined;
}

async function isExcepted(url: URL, exceptions: string): Promise<boolean> {
  const host = url.hostname.replace(/^\[|\]$/g, "");
  if (host === "localhost" || host === "::1" || /^127\.\d+\.\d+\.\d+$/.test(host)) return true;
  const port = url.port || (url.protocol === "https:" ? "443" : "80");
  const entries = exceptions
    .toLowerCase()
    .split(",")
    .map((entry) => entry.trim());
  if (entries.includes("*")) return true;
  const net = await import("node:net");
  const covers = net.isIP(host) === 0 ? coversName : matchAddresses(net);
  return entries.some((entry) => entry !== "" && covers(entry, host, port));
}

/** `example.com` is for itself and what is below it, `.example.com` and `*.example.com` only for what is below. */
function coversName(entry: string, host: string, port: string): boolean {
  const [, name = "", entryPort] = /^(.*?)(?::(\d+))?$/.exec(entry) ?? [];
  const suffix = name.replace(/^\*\./, ".");
  const isCovered = suffix.startsWith(".")
    ? host.endsWith(suffix)
    : host === suffix || host.endsWith(`.${suffix}`);
  return isCovered && (entryPort ?? port) === port;
}

/** `10.0.0.0/8`, `10.0.0.1`, `10.0.0.1:6443`, `fd00::/8`, `fd00::1`, `[fd00::1]:6443`. */
function matchAddresses({ BlockList, isIP, isIPv6 }: typeof import("node:net")) {
  const family = (address: string) => (isIPv6(address) ? "ipv6" : "ipv4");
  return (entry: string, host: string, port: string): boolean => {
    const [, bracketed, plain, entryPort] = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d+))?$/.exec(entry) ?? [];
    const whole = isIP(entry) > 0 || entry.includes("/");
    const [address = "", prefix] = (whole ? entry : (bracketed ?? plain ?? "")).split("/");
    const longest = isIPv6(address) ? 128 : 32;
    const bits = /^\d{1,3}$/.test(prefix ?? `${longest}`) ? Number(prefix ?? longest) : Number.NaN;
    if (isIP(address) === 0 || !(bits <= longest)) return false;
    const list = new BlockList();
    list.addSubnet(address, bits, family(address));
    return list.check(host, family(host)) && (whole || (entryPort ?? port) === port);
  };
}
