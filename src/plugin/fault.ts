import { CniError, code } from "../cni/error.ts";
import { adviseOn } from "./errno-advice.ts";

/** Errors of the file system keep their words (which name the file), and tell what to do; anything else is a fault of ours. */
export function toCniError(error: unknown): CniError {
  if (error instanceof CniError) return error;
  const { message, syscall } = error as NodeJS.ErrnoException;
  if (syscall !== undefined) {
    return new CniError(code.io, message, adviseOn(error as NodeJS.ErrnoException), error);
  }
  return new CniError(code.io, "unexpected fault in the plugin, please report it", message, error);
}
