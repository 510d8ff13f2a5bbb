import type { ReadRequest } from "../request/request.ts";
import type { EarlyDelegate } from "./early-delegate.ts";

/** Everything a verb works from. */
export type Request = ReadRequest & {
  /** The delegate, where it was started ahead. */
  early: EarlyDelegate;
};
