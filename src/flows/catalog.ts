import { checkContract, type Dialect, parseDialect, type Partner } from "../domain";
import { ConfigFault, type SecretBox, type Tx } from "../platform";
import { readMerchants, readPartners, readProducts, type StoredPartner } from "../store";
import { directoryOf, type MerchantDirectory } from "./merchants";
import { compileProduct, type Product } from "./product-definition";
import type { Voice } from "./reply";
import { compileSources, type SourceCheck } from "./sources";

/** A partner as messages are judged by it. */
export interface ActivePartner extends Partner, Voice {
  /** The passwords that are valid now, the newest first. */
  readonly passwords: readonly string[];
  readonly mayComeFrom: SourceCheck;
}

/** Partners, products and merchants as they were at one moment, ready for use; never changes, is replaced as a whole. */
export interface Catalog {
  readonly partners: ReadonlyMap<string, ActivePartner>;
  readonly products: ReadonlyMap<string, Product>;
  readonly merchants: MerchantDirectory;
}

/** Holds the catalog that is in force. */
export interface CatalogHolder {
  readonly current: Catalog;
}

/**
 * Reads and checks everything that is configured as data.
 *
 * @throws ConfigFault naming every fault of every dialect, code map and product at once
 */
export async function loadCatalog(tx: Tx, secrets: SecretBox): Promise<Catalog> {
  const [partners, products, merchants] = await Promise.all([
    readPartners(tx, secrets),
    readProducts(tx),
    readMerchants(tx, secrets),
  ]);
  const problems: string[] = [];
  const active = partners.flatMap((partner) => {
    const checked = activate(partner);
    if (checked.ok) return [[partner.userName, checked.partner] as const];
    problems.push(...checked.faults.map((fault) => `partner ${partner.userName}: ${fault}`));
    return [];
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
  return { partners: new Map(active), products: new Map(compiled), merchants: directoryOf(merchants) };
}

/** Everything that is wrong with a dialect as it is stored, alone and with what it means for the switch. */
export function faultsOfDialect(given: unknown): readonly string[] {
  const checked = compileDialect(given);
  return checked.ok ? [] : checked.faults;
}

type Checked<T> = ({ readonly ok: true } & T) | { readonly ok: false; readonly faults: readonly string[] };

function activate(stored: StoredPartner): Checked<{ readonly partner: ActivePartner }> {
  const compiled = compileDialect(stored.dialect);
  if (!compiled.ok) return compiled;
  const { dialect, codes, mayComeFrom } = compiled;
  return { ok: true, partner: { ...stored, dialect, codes, mayComeFrom } };
}

function compileDialect(given: unknown): Checked<Voice & { readonly mayComeFrom: SourceCheck }> {
  const parsed = parseDialect(given);
  if (!parsed.ok) return parsed;
  const { dialect } = parsed;
  const contract = checkContract(dialect);
  const sources = compileSources(dialect.sources);
  if (contract.ok && sources.ok) return { ok: true, dialect, codes: contract.codes, mayComeFrom: sources.accepts };
  return { ok: false, faults: [contract, sources].flatMap((each) => (each.ok ? [] : each.faults)) };
}

/** A dialect of our own with nothing in it: how callers are spoken to before it is known who they are. */
export const ANONYMOUS: Voice = anonymousVoice();

function anonymousVoice(): { dialect: Dialect; codes: Voice["codes"] } {
  const compiled = compileDialect({});
  if (!compiled.ok) throw new ConfigFault("the default dialect is not valid", compiled.faults);
  return { dialect: compiled.dialect, codes: compiled.codes };
}
