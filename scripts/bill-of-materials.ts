// npm sbom --sbom-format cyclonedx --package-lock-only | node scripts/bill-of-materials.ts VERSION SECONDS: the release's bill of
// materials, the same bytes for the same commit. SECONDS is the commit's time. `npm sbom --omit dev` would leave out packages that
// the product and the tools both need, so all are asked for, and those that npm calls development's are taken out here.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

type Component = {
  "bom-ref": string;
  type: string;
  name: string;
  scope?: string;
  version: string;
  purl: string;
  properties?: { name: string }[];
};
type Dependency = { ref: string; dependsOn: string[] };
type Bill = {
  serialNumber: string;
  metadata: { timestamp: string; component: Component };
  components: Component[];
  dependencies: Dependency[];
};

/** The runtime, which is most of each executable: npm knows it as a tool. */
const runtimes = ["linux-x64", "linux-aarch64", "darwin-x64", "darwin-aarch64", "windows-x64"].map(
  (machine) => `@oven/bun-${machine}`,
);
const name = "kube-node-ipam";

const [version = "", seconds = "0"] = process.argv.slice(2);
const whole = JSON.parse(readFileSync(0, "utf8")) as Bill;

const components = whole.components
  .filter((one) => !isForDevelopment(one) || runtimes.includes(one.name))
  .map(describe);
const kept = new Set(components.map((one) => one["bom-ref"]));
const platforms = components.filter((one) => runtimes.includes(one.name));
if (platforms.length !== runtimes.length)
  throw new Error(`package-lock.json doesn't hold ${runtimes.join(" and ")}`);

const own = `${name}@${version}`;
const bill = {
  ...whole,
  serialNumber: "",
  metadata: {
    ...whole.metadata,
    timestamp: new Date(Number(seconds) * 1000).toISOString(),
    component: {
      ...whole.metadata.component,
      "bom-ref": own,
      type: "application",
      name,
      version,
      purl: `pkg:npm/${own}`,
    },
  },
  components,
  dependencies: whole.dependencies.flatMap(trim),
};
bill.serialNumber = `urn:uuid:${toUuid(JSON.stringify(bill))}`;
console.log(JSON.stringify(bill, null, 2));

function isForDevelopment({ properties = [] }: Component): boolean {
  return properties.some((property) => property.name === "cdx:npm:package:development");
}

function describe(one: Component): Component {
  if (!runtimes.includes(one.name)) return one;
  return { ...one, type: "platform", scope: "required", properties: [] };
}

function trim({ ref, dependsOn }: Dependency): Dependency[] {
  const left = dependsOn.filter((other) => kept.has(other));
  if (ref === whole.metadata.component["bom-ref"])
    return [{ ref: own, dependsOn: [...left, ...platforms.map((one) => one["bom-ref"])] }];
  return kept.has(ref) ? [{ ref, dependsOn: left }] : [];
}

/** Version 8 of RFC 9562: of one's own making, here a hash of the bill. */
function toUuid(text: string): string {
  const hash = createHash("sha256").update(text).digest("hex");
  const variant = ((Number.parseInt(hash[16] ?? "0", 16) & 3) | 8).toString(16);
  return [
    hash.slice(0, 8),
    hash.slice(8, 12),
    `8${hash.slice(13, 16)}`,
    `${variant}${hash.slice(17, 20)}`,
    hash.slice(20, 32),
  ].join("-");
}
