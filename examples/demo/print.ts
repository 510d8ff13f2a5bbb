import { styleText } from "node:util";
import type { JsonObject } from "../../src/text/json.ts";

const width = 100;
const indent = "    ";
let chapter = 0;

export function title(text: string): void {
  print(styleText("bold", text));
}

export function heading(text: string): void {
  chapter += 1;
  print(`\n\n${styleText("bold", `${chapter}. ${text}`)}`);
}

/** A paragraph, its lines broken where they get too long. */
export function say(text: string): void {
  print(`\n${breakLines(text.split(" "), "", "")}`);
}

/** A command as one could type it, broken into several lines as a shell allows it. */
export function command(prompt: string, words: string[]): void {
  const [first = "", ...others] = breakLines(words.map(quote), `${indent}  `, " \\").split("\n");
  print(`\n${indent}${styleText("dim", prompt)} ${styleText("cyan", [first.trim(), ...others].join("\n"))}`);
}

/** JSON, an object or array in one line where it fits. */
export function document(value: unknown): void {
  print(layOut(value, indent.length).replace(/^/gm, indent));
}

export function lines(texts: string[]): void {
  print(texts.map((text) => `${indent}${text}`).join("\n"));
}

export function table(head: string[], rows: string[][]): void {
  const widths = head.map((name, column) =>
    Math.max(name.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const format = (row: string[]) =>
    `${indent}${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ")}`.trimEnd();
  print(["", styleText("bold", format(head)), ...rows.map(format)].join("\n"));
}

function print(text: string): void {
  console.log(text);
}

function breakLines(words: string[], hanging: string, end: string): string {
  const broken: string[] = [];
  let line = hanging;
  for (const word of words) {
    const longer = line.trim() === "" ? line + word : `${line} ${word}`;
    if (longer.length > width && line.trim() !== "") {
      broken.push(line + end);
      line = hanging + word;
    } else line = longer;
  }
  return [...broken, line].join("\n");
}

/** As a shell takes it; redirections are meant as such. */
function quote(word: string): string {
  const [, name = "", value = ""] = /^(\w+=)?(.*)$/s.exec(word) ?? [];
  return /^[\w@%+=:,./<-]*$/.test(value) ? word : `${name}'${value.replaceAll("'", `'\\''`)}'`;
}

function layOut(value: unknown, column: number): string {
  const inOneLine = inline(value);
  if (typeof value !== "object" || value === null || inOneLine.length + column <= width) return inOneLine;
  const inner = Array.isArray(value)
    ? value.map((item) => layOut(item, column + 2))
    : Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}: ${layOut(item, column + 2)}`);
  const [open, close] = Array.isArray(value) ? "[]" : "{}";
  return `${open}\n${inner.join(",\n").replace(/^/gm, "  ")}\n${close}`;
}

function inline(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(inline).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const entries = Object.entries(value as JsonObject);
  if (entries.length === 0) return "{}";
  return `{ ${entries.map(([key, item]) => `${JSON.stringify(key)}: ${inline(item)}`).join(", ")} }`;
}
