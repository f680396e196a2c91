import { dateAfter, type SettlementProfile } from "../../domain";
import { Fault } from "../../platform";
import { dateReader, fileNameReader, Unreadable } from "../../wire";
import { dayText } from "./line-reader";

/** What a file is about, before it is opened. */
export interface FileSubject {
  /** `YYYY-MM-DD`: the business date whose payments the file should hold. */
  readonly settlementDate: string;
  /** Empty: all products of the partner. */
  readonly productCodes: readonly string[];
}

/**
 * Reads a file's name by its profile, and checks it.
 *
 * @param date the date that the operator gave; null: the name's
 * @throws Fault when the name does not follow the pattern, or says something else than the profile or the operator
 */
export function subjectOf(profile: SettlementProfile, name: string, date: string | null): FileSubject {
  const { fileName, productCodes } = profile;
  if (fileName === null) {
    if (date === null) {
      const problem = "the profile says nothing about names of files, and no business date is given";
      throw new Fault("settlement_file", problem, { remedy: "give-the-date" });
    }
    return { settlementDate: date, productCodes };
  }
  const parts = fileNameReader(fileName.pattern)(name);
  if (parts === null) throw refusal(`the name ${name} does not follow ${fileName.pattern}`);
  if (fileName.ca.length > 0 && !fileName.ca.some((ca) => ca.toLowerCase() === parts.ca?.toLowerCase())) {
    throw refusal(`${parts.ca} in the name ${name} is none of ${fileName.ca.join(", ")}`);
  }
  const read = dateReader(fileName.dateForm)(parts.date);
  if (read instanceof Unreadable) throw refusal(`${parts.date} in the name ${name} ${read.reason}`);
  const settlementDate = dateAfter(dayText(read), -fileName.daysBefore);
  if (date !== null && date !== settlementDate) {
    throw refusal(`the name ${name} is of business date ${settlementDate}, not ${date}`);
  }
  return { settlementDate, productCodes: productsOf(profile, fileName.products, parts.product, name) };
}

function productsOf(
  { productCodes }: SettlementProfile,
  names: Readonly<Record<string, string>>,
  product: string | null,
  name: string,
): readonly string[] {
  if (product === null) return productCodes;
  const known = Object.hasOwn(names, product.toUpperCase()) ? names[product.toUpperCase()] : undefined;
  const code = known ?? (/^[0-9A-Za-z]{6}$/.test(product) ? product : null);
  if (code === null)
    throw refusal(`product ${product} in the name ${name} is not among the profile's fileName.products`);
  if (productCodes.length > 0 && !productCodes.includes(code)) {
    throw refusal(`product ${code} in the name ${name} is none of the profile's: ${productCodes.join(", ")}`);
  }
  return [code];
}

function refusal(problem: string): Fault {
  return new Fault("settlement_file", problem);
}
