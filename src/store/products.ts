import type { Statement, Tx } from "../platform";

/** A product as stored: its definition is data, checked where it is compiled. */
export interface StoredProduct {
  readonly productCode: string;
  readonly name: string;
  readonly definition: unknown;
}

const READ_PRODUCTS: Statement = {
  name: "store_read_products",
  text: `select product_code, name, definition from product order by product_code`,
};

/** Every product, by code. */
export async function readProducts(tx: Tx): Promise<StoredProduct[]> {
  const rows = await tx.run<{ product_code: string; name: string; definition: unknown }>(READ_PRODUCTS, []);
  return rows.map((row) => ({ productCode: row.product_code, name: row.name, definition: row.definition }));
}

const SAVE_PRODUCT: Statement = {
  name: "store_save_product",
  isWrite: true,
  text: `
    insert into product (product_code, name, definition)
    values ($1, $2, $3::jsonb)
    on conflict (product_code) do update
       set name = excluded.name, definition = excluded.definition, updated_at = clock_timestamp()
     where (product.name, product.definition) is distinct from (excluded.name, excluded.definition)`,
};

/** Stores a product under its code, in place of the one that was there. */
export async function saveProduct(tx: Tx, product: StoredProduct): Promise<void> {
  await tx.run(SAVE_PRODUCT, [product.productCode, product.name, JSON.stringify(product.definition)]);
}

/** Who would notice a change of a product. */
export interface ProductUse {
  /** userNames of the active partners that may use it. */
  readonly partners: readonly string[];
  readonly hasBills: boolean;
}

const READ_USE: Statement = {
  name: "store_read_product_use",
  text: `
    select coalesce((select array_agg(p.user_name order by p.user_name)
                       from partner p where p.is_active and $1 = any(p.product_codes)), '{}') as partners,
           exists (select from bill b where b.product_code = $1) as has_bills`,
};

/** Reads who uses a product. Without an index on bills' product: for operators, not for requests. */
export async function readProductUse(tx: Tx, productCode: string): Promise<ProductUse> {
  const [row] = await tx.run<{ partners: string[]; has_bills: boolean }>(READ_USE, [productCode]);
  return { partners: row?.partners ?? [], hasBills: row?.has_bills ?? false };
}
