import { type Client, createClient } from "../../src/kube/client.ts";
import type { ApiServer } from "./api-server.ts";

/** A client of an administrator's, for what tests set up. */
export async function adminClient(api: ApiServer): Promise<Client> {
  const { client } = await api.credentialsFor({ kind: "admin" });
  if (!client) throw new Error("the administrator has no certificate");
  const { certificate: cert, key } = client;
  return await createClient({
    server: api.url,
    ca: api.authority,
    cert,
    key,
    insecure: false,
    origin: "a test",
  });
}
