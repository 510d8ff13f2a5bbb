import { describe, expect, it } from "vitest";
import { choice, defineCommand, text, toggle, word, words } from "../../src/cli/command.ts";
import { listCommands, runCommandLine } from "../../src/cli/command-line.ts";
import { kubeNodeCommands } from "../../src/cli/kube-node-commands.ts";
import type { Terminal } from "../../src/cli/terminal.ts";
import { UsageError } from "../../src/cli/usage-error.ts";
import { paintFor } from "../../src/terminal/paint.ts";

const given: unknown[] = [];
const commands = [
  defineCommand({
    name: "paint",
    summary: "paints walls",
    inputs: {
      colour: word("which"),
      wall: words("where"),
      brushSize: text("CM", "how wide"),
      twice: toggle("two coats"),
      output: choice(["table", "json"], "how", "o"),
    },
    examples: [["program paint red north south", "two red walls"]],
    fails: "there is no paint",
    run: async (inputs) => {
      given.push(inputs);
      return 3;
    },
  }),
];

async function run(...line: string[]): Promise<{ exitCode: number; said: string }> {
  const said: string[] = [];
  const terminal: Terminal = {
    env: {},
    say: (text) => said.push(text),
    note: (text) => said.push(text),
    paint: paintFor(false, {}),
  };
  return { exitCode: await runCommandLine("program", commands, line, terminal), said: said.join("\n") };
}

describe("a command line", () => {
  it("gives a command its words and flags, and its exit code to the caller", async () => {
    expect(await run("paint", "red", "north", "south")).toEqual({ exitCode: 3, said: "" });
    expect(given.pop()).toEqual({
      colour: "red",
      wall: ["north", "south"],
      brushSize: undefined,
      twice: false,
      output: "table",
    });
    await run("paint", "--brush-size=5", "--twice", "-o", "json", "blue", "west");
    expect(given.pop()).toEqual({
      colour: "blue",
      wall: ["west"],
      brushSize: "5",
      twice: true,
      output: "json",
    });
  });

  it("helps with examples and exit codes", async () => {
    const { exitCode, said } = await run("paint", "--help");
    expect(exitCode).toBe(0);
    for (const part of [
      "Usage: program paint [options] <COLOUR> <WALL...>",
      "Paints walls.",
      "--brush-size <CM>",
      "# two red walls\n  program paint red north south",
      "1  there is no paint, or something went wrong",
    ])
      expect(said).toContain(part);
    expect((await run("help", "paint")).said).toBe(said);
  });

  it.each([
    [["pant"], "unknown command 'pant' (Did you mean paint?); program -h lists what there is"],
    [["paint", "red"], "missing required argument 'WALL'; program paint --help says more"],
    [
      ["paint", "red", "north", "--twce"],
      "unknown option '--twce' (Did you mean --twice?); program paint --help says more",
    ],
    [["paint", "red", "north", "-o", "xml"], /'xml' is invalid. Allowed choices are table, json;/],
    [["paint", "red", "north", "--brush-size"], /'--brush-size <CM>' argument missing;/],
  ])("%j is a mistake in the words", async (line, message) => {
    const error: unknown = await run(...line).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(UsageError);
    expect((error as Error).message).toMatch(message);
  });
});

describe("kube-node's commands", () => {
  it("each have a name, a summary without a full stop, and examples that are theirs", () => {
    for (const { name, summary, examples } of kubeNodeCommands) {
      expect(name).toMatch(/^[a-z]+(-[a-z]+)*$/);
      expect(summary).not.toMatch(/\.$/);
      expect(examples.length).toBeGreaterThan(0);
      for (const [line] of examples) expect(line).toContain(`kube-node ${name}`);
    }
    const names = kubeNodeCommands.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(listCommands(kubeNodeCommands)).toContain(`  ${name} `);
  });
});
