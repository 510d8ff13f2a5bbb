import type { DryRun } from "./dry-run.ts";
import type { OutputFormat } from "./output.ts";

export type ImportFlags = {
  annotation?: string;
  pool?: string;
  network?: string;
  dryRun: DryRun;
  yes?: true;
  output: OutputFormat;
};
