import type { CniError } from "../cni/error.ts";

/** What an examination found: `says` is what there is, `remedy` what to do about it. */
export type Finding = { check: string; state: "ok" | "warn" | "fail"; says: string; remedy?: string };

export function good(check: string, says: string): Finding {
  return { check, state: "ok", says };
}

export function warn(check: string, says: string, remedy?: string): Finding {
  return { check, state: "warn", says, ...(remedy && { remedy }) };
}

export function fail(check: string, says: string, remedy?: string): Finding {
  return { check, state: "fail", says, ...(remedy && { remedy }) };
}

/** An error of the plugin's own says in its details what to do. */
export function failBy(check: string, { message, details }: CniError): Finding {
  return fail(check, message, details);
}
