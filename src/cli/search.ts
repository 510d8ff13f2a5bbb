import { CniError } from "../cni/error.ts";
import { type Found, findRanges } from "../ranges/node-ranges.ts";
import type { Step } from "../ranges/wanted.ts";
import type { ReadRequest } from "../request/request.ts";
import { toWanted } from "../request/wanted-ranges.ts";

/** How an ADD would search for this network's ranges now, step by step, and what it would find or say. Keeps nothing. */
export type Search = { steps: Step[]; found?: Found; error?: CniError };

export async function searchRanges(request: ReadRequest): Promise<Search> {
  const steps: Step[] = [];
  const wanted = { ...toWanted(request), keepsNothing: true, tell: (step: Step) => void steps.push(step) };
  try {
    return { steps, found: await findRanges(wanted) };
  } catch (error) {
    if (error instanceof CniError) return { steps, error };
    throw error;
  }
}
