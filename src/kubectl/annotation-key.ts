import { UsageError } from "./usage-error.ts";

/** Kubernetes' qualified names: an optional DNS prefix, a slash, up to 63 characters. Throws a UsageError. */
export function checkKey(key: string): string {
  const [name = "", prefix, ...more] = key.split("/").reverse();
  const isName = /^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/.test(name);
  const isPrefix = prefix === undefined || /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/.test(prefix);
  if (isName && isPrefix && more.length === 0) return key;
  throw new UsageError(
    `${JSON.stringify(key)} is no key of an annotation: expected one such as example.com/net1`,
  );
}
