import { type AttachmentRecord, claim } from "../../src/lease/record.ts";

/** A whole record, as an ADD writes it. */
export function makeRecord(changes: Partial<AttachmentRecord> = {}): AttachmentRecord {
  return {
    version: 1,
    containerID: "c1",
    ifname: "eth0",
    netns: "/var/run/netns/c1",
    pod: { namespace: "default", name: "web-0", uid: "u1" },
    delegate: "host-local",
    ipam: { type: "host-local", ranges: [[{ subnet: "10.1.2.0/24" }]] },
    time: new Date().toISOString(),
    bootID: "3f2a6f5c-0000-4000-8000-000000000000",
    uptime: 100,
    nonce: `${process.pid}-${Math.floor(Math.random() * 1e9).toString(36)}`,
    ...changes,
  };
}

/** Claims (c1, eth0) for this process. Claims of these nonces are dead, any other is held: then it throws. */
export function takeOver(folder: string, dead: string[]): string {
  const record = makeRecord({ nonce: `own-${process.pid}` });
  claim(folder, record, (held) => {
    if (!dead.includes(held.nonce)) throw new Error("held by another");
  });
  return record.nonce;
}
