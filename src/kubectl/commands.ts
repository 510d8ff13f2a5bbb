import type { Command } from "commander";
import { annotateCommand } from "./annotate.ts";
import { bundleCommand } from "./bundle.ts";
import { completionCommand } from "./completion.ts";
import { explainCommand } from "./explain.ts";
import { importCommand } from "./import.ts";
import { listCommand } from "./list.ts";
import { mapCommand } from "./map.ts";
import { migrateCommand } from "./migrate.ts";
import { rebuildCommand } from "./rebuild.ts";
import type { Shell } from "./shell.ts";
import { splitCommand } from "./split.ts";
import { verifyCommand } from "./verify.ts";
import { watchCommand } from "./watch.ts";

/** Makes a command; its action calls `end` with the program's exit code where that isn't 0. One file each. */
export type AddCommand = (shell: Shell, end: (code: number) => void) => Command;

/** In the order of the help. */
export const commands: AddCommand[] = [
  listCommand,
  annotateCommand,
  splitCommand,
  mapCommand,
  verifyCommand,
  explainCommand,
  watchCommand,
  rebuildCommand,
  migrateCommand,
  importCommand,
  bundleCommand,
  completionCommand,
];
