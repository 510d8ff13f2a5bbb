import { CniError, code } from "../cni/error.ts";
import { readText } from "../host/files.ts";
import type { Environment } from "./connection.ts";
import { reasonOf } from "./kubeconfig.ts";
import { isToken } from "./user.ts";

type ServiceAccount = { server: string; token: string; ca?: string; insecure: false; origin: string };

/** What a pod is given to reach its API server; undefined, with the reason added to `passed`, where this runs in no pod. */
export function readServiceAccount(
  env: Environment,
  folder: string,
  passed: string[],
): ServiceAccount | undefined {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = env;
  if (!host || !port) {
    passed.push("in-cluster (KUBERNETES_SERVICE_HOST or _PORT is not set)");
    return undefined;
  }
  const token = read(`${folder}/token`)?.trim();
  if (token === undefined) {
    passed.push(`in-cluster (${folder}/token is absent)`);
    return undefined;
  }
  if (!isToken(token)) {
    throw new CniError(code.invalidConfig, `${folder}/token: a token is one word of ASCII characters`);
  }
  const ca = read(`${folder}/ca.crt`);
  const server = `https://${host.includes(":") ? `[${host}]` : host}:${port}`;
  if (!URL.canParse(server)) {
    throw new CniError(
      code.invalidConfig,
      "$KUBERNETES_SERVICE_HOST and $KUBERNETES_SERVICE_PORT name no server",
    );
  }
  return { server, token, ...(ca !== undefined && { ca }), insecure: false, origin: "in-cluster" };
}

function read(path: string): string | undefined {
  try {
    return readText(path);
  } catch (error) {
    throw new CniError(code.invalidConfig, `${path} can't be read: ${reasonOf(error)}`);
  }
}
