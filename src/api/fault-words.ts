import type { PlacedFault } from "./pool-shape.ts";

/** `spec.exclusions[0].startIP: …; spec.gateway: …`: for conditions, events and refusals. */
export function describeFaults(faults: readonly PlacedFault[]): string {
  return faults.map(({ path, words }) => `spec${path.map(formatStep).join("")}: ${words}`).join("; ");
}

function formatStep(step: string | number): string {
  return typeof step === "number" ? `[${step}]` : `.${step}`;
}
