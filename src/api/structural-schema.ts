import { z } from "zod";

/** A schema as a CustomResourceDefinition takes it: JSON Schema without what the API server knows by itself or doesn't know. */
export type StructuralSchema = {
  type: string;
  description?: string;
  properties?: Record<string, StructuralSchema>;
  required?: string[];
  items?: StructuralSchema;
  [more: string]: unknown;
};

export function structuralSchema(shape: z.ZodType): StructuralSchema {
  const { $schema, ...schema } = z.toJSONSchema(shape, {
    io: "input",
    override: ({ jsonSchema }) => {
      delete jsonSchema.additionalProperties;
      if (jsonSchema.const !== undefined) {
        jsonSchema.enum = [jsonSchema.const];
        delete jsonSchema.const;
      }
      if (jsonSchema.type === "integer") jsonSchema.format = "int64";
    },
  });
  return schema as StructuralSchema;
}
