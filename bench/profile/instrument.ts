import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { arrangeSources } from "../../scripts/arrange-sources.ts";
import { stages } from "./stages.ts";

/** A copy of the sources whose stages are timed; the released ones know nothing of it. Throws where a function is gone. */
export function instrumentSources(folder: string): string {
  arrangeSources(folder);
  copyFileSync(join(import.meta.dirname, "clock.ts"), join(folder, "clock.ts"));
  for (const file of new Set(stages.map((stage) => stage.file))) instrument(folder, file);
  return folder;
}

function instrument(folder: string, file: string): void {
  const path = join(folder, file);
  let text = readFileSync(path, "utf8");
  for (const { stage, functions } of stages.filter((one) => one.file === file))
    for (const name of functions) text = timeFunction(text, name, stage, file);
  const clock = relative(dirname(file), "clock.ts");
  writeFileSync(path, `import { timed as __timed } from "${clock}";\n${text}`);
}

/** `function f(…)` becomes a timed `f` around it. */
function timeFunction(text: string, name: string, stage: string, file: string): string {
  const declaration = new RegExp(`^(export )?((?:async )?function) ${name}\\b`, "m");
  if (!declaration.test(text))
    throw new Error(`bench/profile/stages.ts: there is no function ${name} in ${file}`);
  const timed = `$1const ${name} = __timed(${JSON.stringify(stage)}, __${name});\n$2 __${name}`;
  return text.replace(declaration, timed);
}
