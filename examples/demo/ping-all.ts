import type { Attachment } from "./runtime.ts";
import type { Pod } from "./stage.ts";

type Ping = (from: Pod, address: string) => Promise<boolean>;

/** Each pod's line: over which families it reaches each other pod. Throws where an address that it should reach is silent. */
export async function pingAll(ping: Ping, attachments: Attachment[]): Promise<string[][]> {
  return await Promise.all(
    attachments.map(async (from) => [
      from.pod.name,
      ...(await Promise.all(attachments.map((to) => (from === to ? "" : pingOne(ping, from, to))))),
    ]),
  );
}

async function pingOne(ping: Ping, from: Attachment, to: Attachment): Promise<string> {
  const families = addressesOf(from).map(familyOf);
  const targets = addressesOf(to).filter((address) => families.includes(familyOf(address)));
  for (const address of targets) {
    if (!(await ping(from.pod, address))) throw new Error(`${from.pod.name} can't reach ${address}`);
  }
  return targets.map(familyOf).join(" ");
}

/** Without the length of their prefix. */
export function addressesOf({ result }: Attachment): string[] {
  return result?.ips.map(({ address }) => address.replace(/\/.*/, "")) ?? [];
}

function familyOf(address: string): string {
  return address.includes(":") ? "IPv6" : "IPv4";
}
