import { createServer } from "node:net";

// Below the range that Linux takes for outgoing connections (32768 on), so that a stopped server finds its port free again.
const lowest = 12_000;
const highest = 32_000;

/** A TCP port that nothing listened on a moment ago, on any of the addresses. */
export async function findFreePort(addresses: string[] = ["127.0.0.1"]): Promise<number> {
  for (let attempt = 0; attempt < 50; attempt++) {
    const port = lowest + Math.floor(Math.random() * (highest - lowest));
    const free = await Promise.all(addresses.map((address) => isFree(address, port)));
    if (free.every(Boolean)) return port;
  }
  throw new Error(`no free port between ${lowest} and ${highest} on ${addresses.join(", ")}`);
}

function isFree(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
