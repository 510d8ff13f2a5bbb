import { describe, expect, it } from "vitest";
import { removed, scrub, scrubText } from "../../src/kubectl/scrub.ts";

const token = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.c2lnbmF0dXJlLWNhbmFyeQ";
const pem = "-----BEGIN RSA PRIVATE KEY-----\nMIICanaryCanary\n-----END RSA PRIVATE KEY-----";
const long = `${"Q2FuYXJ5".repeat(12)}9A==`;

describe("texts without secrets", () => {
  it.each([
    [`token: ${token}`, `token: ${removed}`],
    [`    client-key-data: ${long}`, `    client-key-data: ${removed}`],
    [`seen with ${token} in it`, `seen with ${removed} in it`],
    [`a\n${pem}\nb`, `a\n${removed}\nb`],
    ["Authorization: Bearer canary-0123456789", `Authorization: ${removed}`],
    ["curl -H 'authorization: bearer abcdefgh12345678'", `curl -H 'authorization: ${removed}'`],
    ["https://user:canary@proxy.example:3128/", `https://${removed}@proxy.example:3128/`],
    ['{"password": "canary \\" more"}', `{"password": "${removed}"}`],
    ["DB_PASSWORD=canary", `DB_PASSWORD=${removed}`],
    [`certificate ${long} end`, `certificate ${removed} end`],
    ["AKIAIOSFODNN7EXAMPLE", removed],
  ])("%j", (text, clean) => expect(scrubText(text)).toBe(clean));

  it.each([
    "172.20.0.0/24,fd00:2::/64",
    '[[{"subnet":"10.1.2.0/24","rangeStart":"10.1.2.9"}]]',
    "kubeconfig: /etc/cni/net.d/kube-node.kubeconfig",
    "tokenFile: /var/run/secrets/kubernetes.io/serviceaccount/token",
    "registry.example/image@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    'plugin type="kube-node" failed (add): no addresses left in 10.1.2.0/24',
  ])("%j is none", (text) => expect(scrubText(text)).toBe(text));
});

it("goes into JSON inside of texts inside of objects, at every depth", () => {
  const config = JSON.stringify({ name: "n", plugins: [{ ipam: { type: "kube-node", apiKey: "canary" } }] });
  const object = { spec: { config }, list: [{ secret: { deep: "canary" }, port: 1, auth: true }] };
  const clean = JSON.stringify(scrub(object));
  expect(clean).not.toContain("canary");
  expect(JSON.parse(JSON.parse(clean).spec.config).plugins[0].ipam).toEqual({
    type: "kube-node",
    apiKey: removed,
  });
  expect(JSON.parse(clean).list).toEqual([{ secret: removed, port: 1, auth: true }]);
});
