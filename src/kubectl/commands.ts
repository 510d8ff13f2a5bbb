import type { Command } from "commander";
import { listCommand } from "./list.ts";
import type { Shell } from "./shell.ts";
import { splitCommand } from "./split.ts";

/** Makes a command; its action calls `end` with the program's exit code where that isn't 0. One file each. */
export type AddCommand = (shell: Shell, end: (code: number) => void) => Command;

/** In the order of the help. */
export const commands: AddCommand[] = [listCommand, splitCommand];
