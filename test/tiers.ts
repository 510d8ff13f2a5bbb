import { relative, resolve } from "node:path";

// node test/tiers.ts FILE…: before the quick tests run; says which files are outside of their tier, and fails where one is.

/** The quick tier leaves out what needs minutes: all main plugins and versions, faults at each call, archives of a release, thousands of Nodes, pools under faults, a browser, real clusters. */
export const notQuick = [
  "test/real",
  "test/build",
  "test/agent",
  "test/examples",
  "test/faults",
  "test/kubectl",
  "test/map/page.test.ts",
  "test/cluster",
  "test/controller",
  "test/webhook",
];

/** Those of `files` (paths from here, or parts of them) that the quick tier doesn't run. */
function outsideOfQuick(files: string[]): string[] {
  return files.filter((file) => {
    const path = relative(process.cwd(), resolve(file));
    return notQuick.some((folder) => path === folder || path.startsWith(`${folder}/`));
  });
}

if (import.meta.main) {
  const outside = outsideOfQuick(process.argv.slice(2));
  if (outside.length > 0) {
    console.error(
      `build.sh: ${outside.join(", ")}: not in the quick tier, which leaves out ${notQuick.join(", ")}; run it without --quick`,
    );
    process.exitCode = 1;
  }
}
