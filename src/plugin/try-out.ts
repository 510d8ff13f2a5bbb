import type { Environment } from "../cni/environment.ts";
import { CniError, code } from "../cni/error.ts";
import { run } from "../host/exec.ts";
import { findRanges } from "../ranges/node-ranges.ts";
import { delegateIpam, withIpam } from "../request/delegate-config.ts";
import { findDelegate } from "../request/find-delegate.ts";
import { toWanted } from "../request/wanted-ranges.ts";
import type { Request } from "./request.ts";

/** node-annotation called by a person: prints what the delegate prints for the configuration, `cat` for one. Keeps nothing. */
export async function tryOut(request: Request, env: Environment): Promise<string> {
  const found = await findRanges({ ...toWanted(request), keepsNothing: true });
  const config = withIpam(request, delegateIpam(request, request.prepare(found.ipam)));
  const path = findDelegate(request.delegate);
  const { stdout, exitCode, signal } = await run({
    path,
    stdin: JSON.stringify(config, null, 2),
    env,
    time: request.budget.time,
  });
  if (exitCode === 0) return stdout;
  throw new CniError(
    code.delegate,
    `${path} failed: ${signal ?? `exit code ${exitCode}`}`,
    stdout.slice(0, 200),
  );
}
