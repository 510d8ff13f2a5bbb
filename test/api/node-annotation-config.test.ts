import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseNodeAnnotationConfig } from "../../src/api/node-annotation-config.ts";

describe("parseNodeAnnotationConfig", () => {
  it.each([
    ["{}", {}],
    [
      '{"kubeconfig": "/k", "nextipam": "/opt/cni/bin/host-local", "log": "/l"}',
      { kubeconfig: "/k", nextipam: "/opt/cni/bin/host-local", log: "/l" },
    ],
    ['{"kubeconfig": "", "nextipam": "cat", "other": 5}', { nextipam: "cat" }],
    ['{"__proto__": {"kubeconfig": "/k"}}', {}],
  ])("reads %s", (text, config) => {
    expect(parseNodeAnnotationConfig(text)).toEqual(config);
  });

  it.each([
    ["", /^line 1, column 1: expected a value/],
    ['{\n"kubeconfig": /k}', /^line 2, column 15: expected a value/],
    ["{kubeconfig: 1}", /^line 1, column 2: expected a key in double quotes/],
    ["[]", /^expected a JSON object, found an array$/],
    ['{"kubeconfig": 5}', /^kubeconfig: expected a string, found a number$/],
    ['{"nextipam": ["a"]}', /^nextipam: expected a string, found an array$/],
    ['{"log": true}', /^log: expected a string, found a boolean$/],
    ['{"log": "a\\u0000"}', /^log: expected a string/],
    ['{"nextipam": "node-annotation"}', /^nextipam: node-annotation would call itself without end$/],
    ['{"nextipam": "/opt/cni/bin/kube-node"}', /^nextipam: kube-node would call itself without end$/],
  ])("refuses %j", (text, words) => {
    expect(() => parseNodeAnnotationConfig(text)).toThrow(words);
  });

  it("never takes a secret into its words", () => {
    fc.assert(
      fc.property(fc.nat(60), (at) => {
        const text = '{"kubeconfig": "/k", "token": "c4n4ry-c4n4ry-c4n4ry", "log": "/l"}';
        try {
          parseNodeAnnotationConfig(text.slice(0, at));
          expect.unreachable("it is cut off");
        } catch (error) {
          expect((error as Error).message).not.toContain("c4n4ry");
        }
      }),
    );
  });
});
