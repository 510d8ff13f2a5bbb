import { describe, it } from "vitest";
import { type Executable, executables } from "../../parts/plugin.ts";
import { type HostLocal, hostLocals } from "../../parts/tools.ts";

/** One of our executables over one host-local. */
export type Subject = { label: string; executable: Executable; hostLocal: HostLocal };

type Suite = (subject: Subject) => void;

/** Runs a suite with the compiled executable over each host-local, and with the sources on Node over one of them. */
export function describeSubjects(name: string, suite: Suite): void {
  const [first] = hostLocals();
  describeEach(
    name,
    suite,
    ({ executable, hostLocal }) => isCompiled(executable) || hostLocal === first?.path,
  );
}

/** With the compiled executable alone, over each host-local: Node takes long to start. */
export function describeHostLocals(name: string, suite: Suite): void {
  describeEach(name, suite, ({ executable }) => isCompiled(executable));
}

/** `it` for what depends on no runtime: on Node, which takes long to start, there is no such test. */
export function onlyCompiled({ executable }: Subject): (name: string, test: () => Promise<void>) => void {
  return isCompiled(executable) ? it : () => {};
}

/** Of a table all rows on the compiled executable, every fourth on Node. */
export function rowsFor<Row>({ executable }: Subject, rows: Row[]): Row[] {
  return rows.filter((_, index) => isCompiled(executable) || index % 4 === 0);
}

function describeEach(
  name: string,
  suite: Suite,
  wanted: (one: { executable: Executable; hostLocal: string }) => boolean,
): void {
  const subjects = hostLocals().flatMap((hostLocal) =>
    executables()
      .filter((executable) => wanted({ executable, hostLocal: hostLocal.path }))
      .map((executable) => ({
        label: `${executable.label}, host-local ${hostLocal.label}`,
        executable,
        hostLocal,
      })),
  );
  if (subjects.length === 0) it.skip(`${name} (skipped without host-local)`, () => {});
  for (const subject of subjects) describe(`${name} (${subject.label})`, () => suite(subject));
}

function isCompiled({ label }: Executable): boolean {
  return label === "compiled";
}
