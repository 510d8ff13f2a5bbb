import { readdirSync, rmSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { sweepNamespaces } from "./namespace.ts";
import { reasonForNoRealApiServer } from "./real-api-server.ts";
import { makeRunFolder } from "./run-folder.ts";
import * as tools from "./tools.ts";

/** Vitest's globalSetup: says what tests will run on, and has one temporary folder for all of them. */
export function setup(): () => void {
  const folder = makeRunFolder();
  process.env["TMPDIR"] = folder;
  console.log(describeTools().join("\n"));
  return () => {
    for (const name of sweepNamespaces())
      console.log(`left behind by a test, now removed: network namespace ${name}`);
    for (const name of leftovers(folder)) console.log(`left behind by a test, now removed: ${name}`);
    rmSync(folder, { recursive: true, force: true });
  };
}

function describeTools(): string[] {
  const hostLocals = tools.hostLocals().map(({ label, path }) => `${label} (${short(path)})`);
  const api = reasonForNoRealApiServer();
  const lines: [string, string][] = [
    ["host-local", hostLocals.join(", ") || "none: install containernetworking-plugins"],
    ["main plugins", words(tools.mainPlugins())],
    ["cnitool", words(tools.cnitool())],
    [
      "API server",
      api === undefined ? "embedded, and the real one of KUBEBUILDER_ASSETS" : `embedded only: ${api}`,
    ],
    ["kubectl", words(tools.kubectl())],
    ["strace", words(tools.strace())],
    ["Go", words(tools.go())],
    [
      "network namespaces",
      tools.namespaces().missing ? `none: without ${tools.namespaces().missing}` : "yes",
    ],
  ];
  return lines.map(([name, found]) => `${`${name}:`.padEnd(20)}${found}`);
}

function words(tool: tools.Tool): string {
  return tool.path === undefined ? `none: without ${tool.missing}` : short(tool.path);
}

function short(path: string): string {
  const assets = process.env["KUBEBUILDER_ASSETS"];
  if (assets && path.startsWith(`${assets}/`)) return `$KUBEBUILDER_ASSETS${path.slice(assets.length)}`;
  return path.startsWith(tools.checkout) ? relative(tools.checkout, path) : path;
}

function leftovers(folder: string): string[] {
  const own = new Set(["cni-path"]);
  return readdirSync(folder).filter((name) => !own.has(name) && statSync(join(folder, name)).isDirectory());
}
