import { z } from "zod";
import { ConfigFault, messageOf } from "../platform";
import { compileProduct, type Product } from "./product-definition";
import { faultsOfSamples, sampleSchema } from "./product-samples";
import { publishedDefinitionSchema, type ShippedProduct } from "./product-schema";

const PRODUCT_CODE = z.string().regex(/^[0-9A-Za-z]{6}$/, "must be six letters or digits");
const PRODUCT_NAME = z.string().min(1).max(100);

const head = {
  $schema: z.string().optional().describe("for editors; not kept"),
  productCode: PRODUCT_CODE,
  name: PRODUCT_NAME,
};
const samples = z.array(sampleSchema).default([]);
const fileSchema = z.strictObject({ ...head, definition: z.unknown().optional(), samples });
const publishedFileSchema = z.strictObject({ ...head, definition: publishedDefinitionSchema, samples });

/** What a product's file is found to be: ready to be stored, or everything that is wrong with it. */
export type CheckedProduct =
  | {
      readonly ok: true;
      readonly shipped: ShippedProduct;
      readonly product: Product;
      readonly samples: number;
    }
  | { readonly ok: false; readonly faults: readonly string[] };

/**
 * Checks the content of a product's file: its shape, its definition, and its samples against the definition. Every fault
 * is named at once, with its path; samples are tried only on a definition without faults.
 */
export function checkProductFile(content: unknown): CheckedProduct {
  const parsed = fileSchema.safeParse(content);
  const faults = parsed.success
    ? []
    : parsed.error.issues.map(({ path, message }) => `${path.length === 0 ? "(file)" : pathText(path)}: ${message}`);
  const { productCode, name, definition } = (
    typeof content === "object" && content !== null ? content : {}
  ) as Readonly<Record<string, unknown>>;
  const textOf = (value: unknown): string => (typeof value === "string" ? value : "");
  try {
    const product = compileProduct(textOf(productCode), textOf(name), definition);
    if (parsed.success) faults.push(...faultsOfSamples(product, parsed.data.samples));
    if (!parsed.success || faults.length > 0) return { ok: false, faults };
    const shipped = { productCode: parsed.data.productCode, name: parsed.data.name, definition: definition as never };
    return { ok: true, shipped, product, samples: parsed.data.samples.length };
  } catch (error) {
    if (!(error instanceof ConfigFault)) faults.push(messageOf(error));
    else faults.push(...error.problems.map((problem) => `definition${problem.startsWith(":") ? "" : "."}${problem}`));
    return { ok: false, faults };
  }
}

function pathText(path: readonly PropertyKey[]): string {
  return path
    .map((step, index) => (typeof step === "number" ? `[${step}]` : `${index === 0 ? "" : "."}${String(step)}`))
    .join("");
}

/** The JSON Schema of a product's file. What it accepts may still have faults that only `checkProductFile` finds. */
export function productFileJsonSchema(): unknown {
  return z.toJSONSchema(publishedFileSchema, { io: "input", target: "draft-2020-12" });
}
