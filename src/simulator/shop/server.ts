import type { Clock, Logger } from "../../platform";
import { type Listening, type Place, serveAt } from "../listen";
import { createShopApp } from "./app";
import type { ShopSettings } from "./settings";

/**
 * Starts a merchant's shop, which knows the biller and Finpay by their published messages only.
 *
 * @throws Fault `cannot_listen`
 */
export function startShop(
  settings: ShopSettings,
  place: Place,
  deps: { readonly clock: Clock; readonly logger: Logger },
): Promise<Listening> {
  return serveAt("the shop", place, (publicUrl) => createShopApp({ ...deps, settings, publicUrl }));
}
