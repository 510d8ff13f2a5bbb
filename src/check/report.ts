/** Something that is wrong with a file, or (a warning) may be. Lines and columns count from 1. */
export type Finding = {
  file: string;
  line: number;
  column: number;
  severity: "error" | "warning";
  words: string;
};

/** Takes what is wrong; `at` counts the file's characters from 0. */
export type Report = {
  error(at: number, words: string): void;
  warning(at: number, words: string): void;
  /** How many errors there are in the file so far. */
  errors(): number;
  /** For words that tell of another place: `FILE:LINE:COLUMN`. */
  place(at: number): string;
};

/** Collects what is wrong with one file. */
export function openReport(file: string, text: string, findings: Finding[]): Report {
  const lineStarts = [0, ...[...text.matchAll(/\n/g)].map(({ index }) => index + 1)];
  const position = (at: number) => {
    const line = lineStarts.findLastIndex((start) => start <= at);
    return { line: line + 1, column: at - (lineStarts[line] ?? 0) + 1 };
  };
  const add = (severity: Finding["severity"]) => (at: number, words: string) => {
    findings.push({ file, ...position(at), severity, words });
  };
  let errors = 0;
  const [addError, warning] = [add("error"), add("warning")];
  return {
    error: (at, words) => {
      errors++;
      addError(at, words);
    },
    errors: () => errors,
    warning,
    place: (at) => {
      const { line, column } = position(at);
      return `${file}:${line}:${column}`;
    },
  };
}
