import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseAnnotation } from "../../src/api/annotation.ts";
import { parseAnnotationBody } from "../../src/api/annotation-body.ts";
import { lookout, namespace } from "../cluster/manifests.ts";
import { checkout } from "../parts/tools.ts";
import { linesWith, readme } from "./parts/readme.ts";

describe("the README", () => {
  it("sets annotations that the plugins take, and shows forms that they take", () => {
    const set = linesWith("kubectl annotate").map(
      (line) => /node \S+ [\w./-]+=(?:'([^']*)'|(\S+))/.exec(line) ?? [],
    );
    expect(set.length).toBeGreaterThan(2);
    for (const [, quoted, bare] of set) {
      if (quoted !== undefined) expect(parseAnnotationBody(quoted)).toHaveProperty("ranges");
      else expect(parseAnnotation(bare ?? "").ranges.length).toBeGreaterThan(0);
    }
    const table = readme.slice(readme.indexOf("| form | example |"), readme.indexOf("### node-annotation"));
    const forms = [...table.matchAll(/\| `(.*)` \|$/gm)].map(([, form = ""]) => parseAnnotation(form));
    expect(forms).toHaveLength(4);
  });

  it("says what the tests make on the cluster of $KUBECONFIG", () => {
    const warning = readme.slice(readme.indexOf("with $KUBECONFIG set"), readme.indexOf("Unset it where"));
    const daemons = JSON.stringify(lookout("any", "busybox"));
    const labels = Object.entries((namespace("any") as { metadata: { labels: object } }).metadata.labels);
    expect(labels).toHaveLength(1);
    for (const [key, value] of labels) expect(warning).toContain(`${key}: ${value}`);
    for (const word of ["DaemonSet", "hostNetwork", "hostPath", "/var/lib/cni"]) {
      expect(daemons).toContain(word);
      expect(warning).toContain(word);
    }
  });

  it("names files that are there", () => {
    const links = [...readme.matchAll(/\]\(((?!https?:)[^)#]+)\)/g)].map(([, path = ""]) => path);
    expect(links.length).toBeGreaterThan(5);
    for (const path of links) expect(() => readdirOrRead(join(checkout, path)), path).not.toThrow();
  });
});

function readdirOrRead(path: string): unknown {
  try {
    return readFileSync(path);
  } catch {
    return readdirSync(path);
  }
}

describe("the README's table of errors", () => {
  const readme = readFileSync(join(checkout, "README.md"), "utf8");
  const table = readme.slice(readme.indexOf("| code and words |"), readme.indexOf("A warning `API server"));
  const sources = readdirSync(join(checkout, "src"), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .map((file) => readFileSync(join(checkout, "src", file), "utf8"))
    .join("\n");

  const words = [...table.matchAll(/^\| (\d+) (.*?) \|/gm)].flatMap(([, code, cell = ""]) =>
    [...cell.matchAll(/`([^`]+)`/g)].map(([, text = ""]) => ({ code, text })),
  );

  it.each(words.filter(({ code }) => code !== "999"))("has words that the code has: $text", ({ text }) => {
    const pieces = text.split(/\b[KNXY]\b|…|host-local|10\.1\.2\.3/).map((piece) => piece.trim());
    for (const piece of pieces.filter((piece) => piece.length > 3))
      expect(sources).toContain(piece.replace(/,$/, ""));
  });

  it("covers a good part of them", () => expect(words.length).toBeGreaterThan(14));
});
