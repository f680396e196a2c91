import { Fault } from "../../platform";
import {
  insertMerchant,
  insertPartner,
  readMerchants,
  readPartners,
  recordOperatorAction,
  type StoredMerchant,
} from "../../store";
import { newMerchantSecrets, newSecret } from "../merchant-secrets";
import { operatorName } from "../operator-name";
import { saveShippedProducts } from "../shipped-product";
import type { DatabaseContext } from "../with-database";

/** Who takes part in the demo, with what they sign. */
export interface DemoParties {
  /** The switch, as the host knows it. */
  readonly partner: { readonly userName: string; readonly password: string };
  /** The shop, as the host knows it. */
  readonly merchant: StoredMerchant;
}

const SHOP_NAME = "KOPI NUSANTARA (DEMO)";
const FIRST_SERVICE_ID = 900_001;
const SERVICE_IDS_TRIED = 1_000;

/**
 * Makes the demo's switch and shop known to a database, with secrets made here; those of an earlier run are used again.
 * Nothing else in the database is touched.
 *
 * @param callbackUrl the shop's; a shop at another address is another merchant
 */
export async function prepareParties(
  { transact, secrets }: DatabaseContext,
  productCode: string,
  callbackUrl: string,
): Promise<DemoParties> {
  return transact(async (tx) => {
    await saveShippedProducts(tx, [productCode]);
    const userName = `finpay-demo-${productCode}`;
    const name = "Simulated Finpay (demo)";
    const productCodes = [productCode];
    const actor = operatorName();
    const added = { userName, name, productCodes, dialect: {} };
    if ((await insertPartner(tx, { ...added, password: newSecret() }, secrets)) !== null) {
      await recordOperatorAction(tx, { actor, action: "partner.add", object: `partner:${userName}`, after: added });
    }
    const partner = (await readPartners(tx, secrets)).find((each) => each.userName === userName);
    const password = partner?.passwords[0];
    if (password === undefined)
      throw new Fault("demo_partner", `partner ${userName} is not active, or has no password`);

    const known = (await readMerchants(tx, secrets)).find(
      (each) => each.name === SHOP_NAME && each.callbackUrl === callbackUrl,
    );
    if (known !== undefined) return { partner: { userName, password }, merchant: known };
    const shop = { name: SHOP_NAME, userName: "kopi-demo", callbackUrl, requiresHmac: true };
    for (let place = 0; place < SERVICE_IDS_TRIED; place += 1) {
      const serviceId = String(FIRST_SERVICE_ID + place);
      if ((await insertMerchant(tx, { ...shop, serviceId, secrets: newMerchantSecrets() }, secrets)) === null) continue;
      const after = { ...shop, serviceId };
      await recordOperatorAction(tx, { actor, action: "merchant.add", object: `merchant:${serviceId}`, after });
      const merchant = (await readMerchants(tx, secrets)).find((each) => each.serviceId === serviceId);
      if (merchant !== undefined) return { partner: { userName, password }, merchant };
    }
    throw new Fault("demo_merchant", "there is no free service id for the demo's shop");
  });
}
