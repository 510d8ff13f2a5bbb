// node scripts/complete-lock.ts: `npm ci` refuses a lock file without the optional packages of other platforms, and a registry
// that hasn't got them makes npm leave them out when it writes the file. Adds them, in the versions that their parents name.
import { readFileSync, writeFileSync } from "node:fs";

type Entry = { version: string; dev?: boolean; optionalDependencies?: Record<string, string> };

const lock = JSON.parse(readFileSync("package-lock.json", "utf8")) as { packages: Record<string, Entry> };
const platform =
  /(android|darwin|freebsd|linux|win32|openharmony|netbsd|openbsd|aix|sunos)-(x64|arm64|arm|ia32|ppc64|riscv64|s390x|loong64)/;
const missing = Object.entries(lock.packages).flatMap(([path, { optionalDependencies = {}, dev }]) =>
  Object.entries(optionalDependencies)
    .filter(([name, version]) => /^\d+\.\d+\.\d+$/.test(version) && !isLocked(path, name))
    .map(([name, version]) => [`node_modules/${name}`, describe(name, version, dev ?? false)] as const),
);
const all = [...Object.entries(lock.packages), ...missing];
lock.packages = Object.fromEntries(
  all.sort(([a], [b]) => (a === "" ? -1 : b === "" ? 1 : a.localeCompare(b, "en"))),
);
writeFileSync("package-lock.json", `${JSON.stringify(lock, null, 2)}\n`);
console.log(`${missing.length} packages added`);

function isLocked(parent: string, name: string): boolean {
  return `node_modules/${name}` in lock.packages || `${parent}/node_modules/${name}` in lock.packages;
}

function describe(name: string, version: string, dev: boolean): Entry & Record<string, unknown> {
  const [, os = "", cpu = ""] = platform.exec(name) ?? [];
  if (os === "") throw new Error(`${name}: its name says no platform; add it by hand`);
  const libc = os === "linux" ? { libc: [name.includes("musl") ? "musl" : "glibc"] } : {};
  return { version, cpu: [cpu], ...(dev && { dev }), ...libc, optional: true, os: [os] };
}
