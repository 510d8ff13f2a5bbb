import { onTestFinished } from "vitest";
import type { Fault } from "../../parts/embedded/fault.ts";
import type { EmbeddedApiServer } from "../../parts/embedded-api-server.ts";

/** Breaks the API server until the test is over, or until `server.fault(null)`. */
export async function beginOutage(server: EmbeddedApiServer, fault: Fault = "refused"): Promise<void> {
  onTestFinished(() => server.fault(null));
  await server.fault(fault);
}
