import { z } from "zod";
import { validations } from "./validation.ts";

const labelKey = /^([a-z0-9]([-a-z0-9.]*[a-z0-9])?[/])?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/;
const integer = /^-?[0-9]+$/;

const words = {
  key: "expected a label's key such as topology.kubernetes.io/zone",
  some: "In and NotIn need values: give at least one",
  none: "Exists and DoesNotExist take no values: remove them",
  integer: "Gt and Lt compare with one integer: give it as the only value",
};

const requirement = z
  .strictObject({
    key: z
      .string()
      .max(317)
      .refine((text) => labelKey.test(text), { error: words.key })
      .meta(validations({ rule: `self.matches('${labelKey.source}')`, message: words.key }))
      .describe("The label's key."),
    operator: z
      .enum(["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"])
      .describe("What the label must be."),
    values: z
      .array(z.string().max(253))
      .max(1000)
      .optional()
      .describe(
        "What it is compared with: In and NotIn take several, Gt and Lt one integer, Exists and DoesNotExist none.",
      ),
  })
  .superRefine(({ operator, values = [] }, { addIssue }) => {
    const message = valuesFault(operator, values);
    if (message) addIssue({ code: "custom", path: ["values"], message });
  })
  .meta(
    validations(
      {
        rule: "!(self.operator in ['In', 'NotIn']) || (has(self.values) && size(self.values) > 0)",
        message: words.some,
      },
      {
        rule: "!(self.operator in ['Exists', 'DoesNotExist']) || !has(self.values) || size(self.values) == 0",
        message: words.none,
      },
      {
        rule: `!(self.operator in ['Gt', 'Lt']) || (has(self.values) && size(self.values) == 1 && self.values[0].matches('${integer.source}'))`,
        message: words.integer,
      },
    ),
  );

function valuesFault(operator: string, values: string[]): string | undefined {
  switch (operator) {
    case "In":
    case "NotIn":
      return values.length > 0 ? undefined : words.some;
    case "Exists":
    case "DoesNotExist":
      return values.length === 0 ? undefined : words.none;
    default:
      return values.length === 1 && integer.test(values[0] as string) ? undefined : words.integer;
  }
}

const fieldRequirement = z.strictObject({
  key: z.literal("metadata.name", { error: "expected metadata.name" }).describe("Nothing but metadata.name."),
  operator: z.enum(["In", "NotIn"]).describe("Whether the Node is called so, or isn't."),
  values: z.array(z.string().max(253)).min(1).max(1).describe("One Node's name."),
});

const term = z.strictObject({
  matchExpressions: z
    .array(requirement)
    .max(32)
    .optional()
    .describe("What the Node's labels must be, all of it."),
  matchFields: z
    .array(fieldRequirement)
    .max(32)
    .optional()
    .describe("What the Node's fields must be, all of it."),
});

/** core/v1 NodeSelector. */
export const nodeSelector = z
  .strictObject({
    nodeSelectorTerms: z
      .array(term)
      .min(1)
      .max(32)
      .describe("A Node is selected where one of these holds; an empty one holds for none."),
  })
  .meta({ "x-kubernetes-map-type": "atomic" });
