import { CniError, code } from "../cni/error.ts";

/** Errors of the file system keep their words (which name the file); anything else is a fault of ours. */
export function toCniError(error: unknown): CniError {
  if (error instanceof CniError) return error;
  const { message, syscall } = error as NodeJS.ErrnoException;
  if (syscall !== undefined) return new CniError(code.io, message, "", error);
  return new CniError(code.io, "unexpected fault in the plugin, please report it", message, error);
}
