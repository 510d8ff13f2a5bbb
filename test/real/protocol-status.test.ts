// STATUS: good where an ADD would work now, else 50 with the reason.
import { chmodSync, mkdirSync } from "node:fs";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type EmbeddedApiServer, startEmbeddedApiServer } from "../parts/embedded-api-server.ts";
import { whatLacks } from "../parts/tools.ts";
import { privateMounts } from "./parts/private-mounts.ts";
import { describeSubjects } from "./parts/subjects.ts";
import { makeWorker } from "./parts/worker.ts";

const podCIDRs = ["10.1.0.0/24", "fd00:1::/64"];
const config = { cniVersion: "1.1.0" };
const lack = whatLacks(privateMounts());

let server: EmbeddedApiServer;
beforeAll(async () => {
  server = await startEmbeddedApiServer();
});
afterAll(() => server?.close());

describeSubjects("STATUS", (subject) => {
  const make = () => makeWorker(server, subject, { podCIDRs });
  const status = { code: 50, cniVersion: "1.1.0" };

  it("is good where an ADD would work, and leases nothing", async () => {
    const worker = await make();
    await worker.pass("STATUS", { config });
    expect([worker.leases(), worker.records()]).toEqual([{}, []]);
  });

  it("50: the delegate is missing or can't be run", async () => {
    const worker = await make();
    expect(await worker.fail("STATUS", { config, ipam: { nextipam: "missing" } })).toMatchObject(status);
    chmodSync(worker.putProgram("broken", "#!/bin/sh\n"), 0o644);
    const failure = await worker.fail("STATUS", { config, ipam: { nextipam: "broken" } });
    expect(failure).toMatchObject({ ...status, msg: expect.stringContaining("is not executable") });
  });

  it("50: the Node has no such annotation, or a malformed one", async () => {
    const worker = await make();
    const call = { config, ipam: { annotation: "net1" } };
    expect(await worker.fail("STATUS", call)).toMatchObject(status);
    await worker.annotate("net1", "10.1.0.0/33");
    expect(await worker.fail("STATUS", call)).toMatchObject({
      ...status,
      msg: expect.stringContaining("malformed"),
    });
  });

  it.skipIf(lack.some)(`50: the dataDir can't be written, as ADD says too${lack.words}`, async () => {
    const worker = await make();
    mkdirSync(worker.dataDir);
    const mount = 'mount --bind "$0" "$0"; mount -o remount,bind,ro "$0"; exec "$@"';
    const wrap = (command: string[]) => [
      "unshare",
      "--mount",
      "sh",
      "-ec",
      mount,
      worker.dataDir,
      ...command,
    ];
    expect(await worker.fail("STATUS", { config, wrap })).toMatchObject({
      ...status,
      msg: `${worker.dataDir} can't be written`,
    });
    expect(await worker.fail("ADD", { config, wrap })).toMatchObject({ code: 5 });
    await worker.pass("DEL", { config, wrap });
  });

  it("50: the Node has only IPv4, and no namespace may have it; good where some may", async () => {
    const worker = await makeWorker(server, subject, { podCIDRs: ["10.1.0.0/24"] });
    const nobody = { config, ipam: { "ipv4-namespaces": [] } };
    const words = { msg: `Node ${worker.name} has only IPv4 ranges, and no pod may have IPv4` };
    expect(await worker.fail("STATUS", nobody)).toMatchObject({ ...status, ...words });
    expect(await worker.fail("ADD", { ...nobody, namespace: "web" })).toMatchObject({ code: 104, ...words });
    await worker.pass("STATUS", { config, ipam: { "ipv4-namespaces": ["old"] } });
    await worker.annotate("six", "fd00:1::/64");
    await worker.pass("STATUS", { config, ipam: { "ipv4-namespaces": [], annotation: "six" } });
  });

  it("a full range is no 50: pods with the host's network and those that give an address back go on", async () => {
    const worker = await makeWorker(server, subject, { podCIDRs: ["10.1.0.0/30"] });
    await worker.add({ config });
    expect(await worker.fail("ADD", { config, id: "c2" })).toMatchObject({ code: 999 });
    await worker.pass("STATUS", { config });
  });

  it("50 or 51: the delegate's own STATUS says so", async () => {
    const worker = await make();
    for (const [code, expected] of [
      [50, 50],
      [51, 51],
      [999, 50],
    ]) {
      const failing = `#!/bin/sh
cat >/dev/null
case $CNI_COMMAND in
  VERSION) echo '{"cniVersion": "1.1.0", "supportedVersions": ["1.0.0", "1.1.0"]}' ;;
  *) echo '{"code": ${code}, "msg": "nearly out of addresses"}'; exit 1 ;;
esac
`;
      worker.putProgram("host-local", failing);
      expect(await worker.fail("STATUS", { config })).toMatchObject({
        code: expected,
        msg: "nearly out of addresses",
      });
    }
  });
});
