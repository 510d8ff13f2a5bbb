import type { OutputFormat } from "./output.ts";

export type ImportFlags = {
  annotation?: string;
  pool?: string;
  network?: string;
  dryRun: "none" | "client";
  yes?: true;
  output: OutputFormat;
};
