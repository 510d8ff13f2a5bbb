import { isObject, type JsonObject } from "../text/json.ts";
import type { AttachmentRecord } from "./record.ts";
import { parseLease } from "./store.ts";

/**
 * A record's text begins with its worker's process, in digits of a fixed number at a fixed place: they are overwritten where they
 * stand. As a fraction each mixture of old and new digits is a number, which leading zeros are not; 0 is nobody.
 */
const workerField = /^\{"delegatePid":0\.\d{10}e10,/;
const workerAt = '{"delegatePid":0.'.length;

export function formatRecord({ delegatePid = 0, ...record }: AttachmentRecord): string {
  return `{"delegatePid":0.${digitsOf(delegatePid)}e10,${JSON.stringify(record).slice(1)}`;
}

/** The bytes that make a process the worker of the record that is in this text; undefined where it has no place for them. */
export function workerIn(text: string, pid: number): { at: number; bytes: string } | undefined {
  return workerField.test(text) ? { at: workerAt, bytes: digitsOf(pid) } : undefined;
}

function digitsOf(pid: number): string {
  return String(pid).padStart(10, "0");
}

/** Of a record or of a lease from before us; undefined of a damaged one. */
export function parseRecord(text: string, mtimeMs: number): AttachmentRecord | undefined {
  if (!text.startsWith("{")) return text.trim() === "" ? undefined : adoptedRecord(text, mtimeMs);
  try {
    const value: unknown = JSON.parse(text);
    if (!isObject(value) || !isRecord(value)) return undefined;
    if (!isProcess(value["delegatePid"])) delete value["delegatePid"];
    return value as AttachmentRecord;
  } catch {
    return undefined; // Damaged: found all the same, by its name.
  }
}

function isProcess(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) > 0;
}

function isRecord(value: JsonObject): boolean {
  const { version, containerID, ipam, delegate, bootID, uptime, nonce } = value;
  const texts = [containerID, bootID, nonce].every((text) => typeof text === "string");
  const delegated =
    (ipam === undefined || isObject(ipam)) && (delegate === undefined || typeof delegate === "string");
  return (
    version === 1 && texts && delegated && typeof uptime === "number" && /^[\w-]{1,40}$/.test(nonce as string)
  );
}

/** A lease from before us counts as a record of itself. */
function adoptedRecord(lease: string, mtimeMs: number): AttachmentRecord {
  const time = new Date(mtimeMs).toISOString();
  return {
    version: 1,
    ...parseLease(lease),
    time,
    bootID: "",
    uptime: 0,
    nonce: `lease${Math.floor(mtimeMs)}`,
  };
}
