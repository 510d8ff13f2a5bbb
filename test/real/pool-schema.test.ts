// Every field of every CRD, wrong in each way that its schema knows, and every rule that CEL has: refused by the real API server.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { customResourceDefinitions } from "../../src/api/custom-resources.ts";
import type { StructuralSchema } from "../../src/api/structural-schema.ts";
import type { JsonObject } from "../../src/text/json.ts";
import { poolPath } from "../parts/pool-resources.ts";
import { reasonForNoRealApiServer } from "../parts/real-api-server.ts";
import { cidrPoolFaults, ipPoolFaults } from "./parts/pool-faults.ts";
import { type PoolServer, poolOf, startPoolServer, wordsOf } from "./parts/pool-server.ts";
import { wholeObjects, wholeStatus } from "./parts/whole-objects.ts";
import { type Wrong, wrongsOf } from "./parts/wrong-values.ts";

const lack = reasonForNoRealApiServer();
const kinds = ["IPPool", "CIDRPool", "NodeBlock"] as const;
let server: PoolServer;

function schemaOf(kind: string): StructuralSchema {
  const found = customResourceDefinitions().find(({ spec }) => spec.names.kind === kind);
  return found?.spec.versions[0]?.schema.openAPIV3Schema as StructuralSchema;
}

const partOf = (kind: string, part: "spec" | "status") =>
  schemaOf(kind).properties?.[part] as StructuralSchema;

/** Messages of rules on a schema and all that is in it; those about what was before, and about status, are pool-changes.test.ts's. */
function messagesOf({ properties = {}, items, ...schema }: StructuralSchema): string[] {
  const rules = (schema["x-kubernetes-validations"] ?? []) as { rule: string; message: string }[];
  const own = rules.filter(({ rule }) => !/oldSelf|self\.status/.test(rule)).map(({ message }) => message);
  const inner = [...Object.entries(properties), ...(items ? [["", items] as const] : [])];
  return [...own, ...inner.flatMap(([key, value]) => (key === "status" ? [] : messagesOf(value)))];
}

describe.skipIf(lack)(`schemas on a real API server${lack ? ` (skipped: ${lack})` : ""}`, () => {
  beforeAll(async () => {
    server = await startPoolServer();
  }, 90_000);
  afterAll(() => server?.close());

  /** What was taken, or refused in other words, each as a sentence. */
  async function unrefused(
    wrongs: Wrong[],
    ask: (value: JsonObject) => ReturnType<PoolServer["tryOut"]>,
  ): Promise<string[]> {
    const found: string[] = [];
    for (const { words, value, says } of wrongs) {
      const answer = await ask(value);
      const said = wordsOf(answer);
      if (![400, 422].includes(answer.status) || !said.includes(says))
        found.push(`${words}: ${answer.status} ${said.slice(0, 300)}, not ${says}`);
    }
    return found;
  }

  it.each(kinds)(
    "%s: each field of its spec",
    async (kind) => {
      const object = wholeObjects[kind];
      expect((await server.tryOut(object)).text).not.toContain('"message"');
      const wrongs = wrongsOf(partOf(kind, "spec"), object.spec, "spec");
      expect(wrongs.length).toBeGreaterThan(kind === "NodeBlock" ? 30 : 100);
      expect(await unrefused(wrongs, (spec) => server.tryOut({ ...object, spec }))).toEqual([]);
    },
    60_000,
  );

  it.each(kinds)(
    "%s: each field of its status",
    async (kind) => {
      const object = wholeObjects[kind];
      await server.make(object);
      const { metadata } = (await server.ask({ path: poolPath(kind, object.metadata.name) })).json as {
        metadata: object;
      };
      const path = `${poolPath(kind, object.metadata.name)}/status?fieldValidation=Strict&dryRun=All`;
      const put = (status: JsonObject) =>
        server.ask({ method: "PUT", path, body: { ...object, metadata, status } });
      const whole = wholeStatus[kind];
      expect(await put(whole)).toMatchObject({ status: 200 });
      const wrongs = wrongsOf(partOf(kind, "status"), whole, "status");
      expect(wrongs.length).toBeGreaterThan(10);
      expect(await unrefused(wrongs, put)).toEqual([]);
    },
    60_000,
  );

  it.each(["IPPool", "CIDRPool"] as const)("%s: each rule says what it has to say", async (kind) => {
    const said: string[] = [];
    const objects = [
      ...(kind === "IPPool" ? ipPoolFaults : cidrPoolFaults).map(({ change }) => poolOf(kind, change)),
      poolOf(kind, {}, "a".repeat(64)),
    ];
    for (const object of objects) said.push(wordsOf(await server.tryOut(object)));
    const messages = messagesOf(schemaOf(kind));
    expect(messages.length).toBeGreaterThan(15);
    expect(messages.filter((message) => !said.some((words) => words.includes(message)))).toEqual([]);
  });
});
