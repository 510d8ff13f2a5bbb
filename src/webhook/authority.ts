import type { Client } from "../kube/client.ts";

type Configuration = { webhooks?: { name: string; clientConfig: { caBundle?: string } }[] };

const path = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";

/** Makes the API server trust `bundle` (PEM) where the configuration calls us: a write only where it doesn't yet. */
export async function tellAuthority(client: Client, name: string, bundle: string): Promise<void> {
  const { webhooks = [] } = await client.get<Configuration>(`${path}/${name}`);
  const caBundle = Buffer.from(bundle).toString("base64");
  if (webhooks.every(({ clientConfig }) => clientConfig.caBundle === caBundle)) return;
  await client.patch(
    `${path}/${name}?fieldManager=kube-node-webhook&force=true`,
    {
      apiVersion: "admissionregistration.k8s.io/v1",
      kind: "ValidatingWebhookConfiguration",
      metadata: { name },
      webhooks: webhooks.map((webhook) => ({ name: webhook.name, clientConfig: { caBundle } })),
    },
    "apply",
  );
}
