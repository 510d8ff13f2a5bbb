import { Option } from "commander";

/** As kubectl has it; by itself it means client. */
export type DryRun = "none" | "client" | "server";

export function dryRunOption(): Option {
  return new Option(
    "--dry-run [how]",
    "client: write nothing; server: let the API server check it, and store nothing",
  )
    .choices(["none", "client", "server"])
    .default("none")
    .preset("client");
}
