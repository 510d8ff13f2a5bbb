// Logs COUNT lines of each level to $LOG, or to standard error, for a test: `log-lines.ts COUNT`.
import { openLog } from "../../src/host/log.ts";

const log = openLog(process.env["LOG"], 10);
for (let i = 0; i < Number(process.argv[2]); i++) {
  for (const level of ["trace", "debug", "info", "warn", "error"] as const)
    log[level](`${level} ${i}`, { text: "x".repeat(i * 7) });
}
process.exit(0);
