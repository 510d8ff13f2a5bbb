/** A rule in CEL as a CustomResourceDefinition has it; `message` says what to do. */
export type Validation = { rule: string; message: string; messageExpression?: string; fieldPath?: string };

/** Rules as the metadata of a zod schema: the API server checks them, where zod doesn't look. */
export function validations(...rules: Validation[]): { "x-kubernetes-validations": Validation[] } {
  return { "x-kubernetes-validations": rules };
}

/** What is said of a list whose items are told apart by a key: two appliers may each own items. */
export function listMap(...keys: string[]): Record<string, unknown> {
  return { "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": keys };
}
