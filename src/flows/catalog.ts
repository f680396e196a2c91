import { DEFAULT_RESULT_CODES, faultsOfResultCodes, type ResultCodes, resultCodesOf } from "../domain";
import { ConfigFault, type SecretBox, type Tx } from "../platform";
import { type PartnerWithSecrets, readPartners, readProducts } from "../store";
import { compileProduct, type Product } from "./product-definition";

/** A partner as messages are judged by it. */
export interface ActivePartner extends PartnerWithSecrets {
  readonly codes: ResultCodes;
}

/** Partners and products as they were at one moment, ready for use; never changes, is replaced as a whole. */
export interface Catalog {
  readonly partners: ReadonlyMap<string, ActivePartner>;
  readonly products: ReadonlyMap<string, Product>;
}

/**
 * Reads and checks everything that is configured as data.
 *
 * @throws ConfigFault naming every invalid dialect, code map and product at once
 */
export async function loadCatalog(tx: Tx, secrets: SecretBox): Promise<Catalog> {
  const [partners, products] = await Promise.all([readPartners(tx, secrets), readProducts(tx)]);
  const problems: string[] = [];
  const active = partners.map((partner) => {
    const codes = resultCodesOf(partner.dialect);
    problems.push(...faultsOfResultCodes(codes).map((fault) => `partner ${partner.userName}: ${fault}`));
    return [partner.userName, { ...partner, codes }] as const;
  });
  const compiled = products.flatMap(({ productCode, name, definition }) => {
    try {
      return [[productCode, compileProduct(productCode, name, definition)] as const];
    } catch (error) {
      if (!(error instanceof ConfigFault)) throw error;
      problems.push(...error.problems.map((problem) => `product ${productCode}: ${problem}`));
      return [];
    }
  });
  if (problems.length > 0) throw new ConfigFault("the configuration in the database is not valid", problems);
  return { partners: new Map(active), products: new Map(compiled) };
}

/** Holds the catalog that is in force. */
export interface CatalogHolder {
  readonly current: Catalog;
}

/** The codes used before a partner is known. */
export const ANONYMOUS_CODES = DEFAULT_RESULT_CODES;
