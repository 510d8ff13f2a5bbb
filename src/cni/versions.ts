/** Every version of the CNI specification that is spoken here, oldest first. */
export const versions = ["0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"] as const;

export type CniVersion = (typeof versions)[number];

export const newest: CniVersion = "1.1.0";

export function isVersion(text: unknown): text is CniVersion {
  return (versions as readonly unknown[]).includes(text);
}

/** `a` is `b` or newer. */
export function isAtLeast(a: CniVersion, b: CniVersion): boolean {
  return versions.indexOf(a) >= versions.indexOf(b);
}

/** The newest version that `theirs` names and that isn't newer than `asked`; else the oldest that they share with us. */
export function closest(asked: CniVersion, theirs: readonly unknown[]): CniVersion | undefined {
  const shared = versions.filter((version) => theirs.includes(version));
  return shared.findLast((version) => isAtLeast(asked, version)) ?? shared[0];
}
