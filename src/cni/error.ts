/** Error codes: 1 to 99 are the CNI specification's (SPEC.md, "Error"), from 100 on they are this plugin's own. */
export const code = {
  incompatibleVersion: 1,
  unknownContainer: 3,
  invalidEnvironment: 4,
  io: 5,
  decoding: 6,
  invalidConfig: 7,
  tryAgainLater: 11,
  notAvailable: 50,
  notAvailableLimited: 51,
  delegate: 100,
  alreadyAttached: 101,
  ownNode: 102,
  nodeRanges: 103,
  noFamilyLeft: 104,
  rangesExpired: 105,
  requestedAddress: 106,
} as const;

/** A failed call as a runtime is told of it. `message` is one sentence; `details` adds where, what was expected, what to do. */
export class CniError extends Error {
  readonly code: number;
  readonly details: string;

  constructor(code: number, message: string, details = "", cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "CniError";
    this.code = code;
    this.details = details;
  }
}

/** The error document of the CNI specification; `cniVersion` is the one that was asked for. */
export function formatError(error: CniError, cniVersion: string): string {
  const { code, message: msg, details } = error;
  return JSON.stringify({ cniVersion, code, msg, ...(details && { details }) });
}
