import { request } from "node:https";

export type Review = { allowed: boolean; status?: { message: string } };

/** Asks a webhook on this machine as the API server asks it, by its Service's name. */
export async function askWebhook(
  port: number,
  authority: string,
  object: { kind: string; metadata: { name: string } },
): Promise<Review> {
  const group = { group: "ipam.kube-node.io", version: "v1alpha1" };
  const review = {
    apiVersion: "admission.k8s.io/v1",
    kind: "AdmissionReview",
    request: {
      ...{ uid: "1", kind: { ...group, kind: object.kind }, operation: "CREATE" },
      resource: { ...group, resource: `${object.kind.toLowerCase()}s` },
      ...{ name: object.metadata.name, object },
    },
  };
  const text = await new Promise<string>((resolve, reject) => {
    const options = { host: "127.0.0.1", port, method: "POST", path: "/", ca: authority };
    const call = request({ ...options, servername: "kube-node-webhook.kube-node.svc" }, (answer) => {
      let body = "";
      answer.on("data", (data) => {
        body += String(data);
      });
      answer.on("end", () => resolve(body));
    });
    call.on("error", reject);
    call.end(JSON.stringify(review));
  });
  return (JSON.parse(text) as { response: Review }).response;
}

/** A pool to ask about. */
export function poolOf(name: string, subnet: string) {
  return {
    apiVersion: "ipam.kube-node.io/v1alpha1",
    kind: "IPPool",
    metadata: { name },
    spec: { subnet, perNodeBlockSize: 16 },
  };
}
