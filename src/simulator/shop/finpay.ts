import { call, textAt } from "./call";
import type { ShopOrder } from "./order";
import { isFinpays } from "./proof";
import type { ShopSettings } from "./settings";

/** The shop as a merchant of Finpay: a payment page for a bill, and what became of it. Neither call throws. */
export interface FinpayClient {
  /** @returns the page's address, or what is wrong */
  paymentPage(order: ShopOrder, orderId: string): Promise<{ address: string } | { problem: string }>;
  /** @returns the verified status, or what is wrong */
  check(orderId: string): Promise<{ status: string } | { problem: string }>;
}

/**
 * A client of Finpay's addresses for merchants.
 *
 * @param shopUrl where Finpay finds this shop, and where the customer comes back to
 */
export function createFinpayClient(settings: ShopSettings, shopUrl: () => string): FinpayClient {
  const { finpayUrl, finpayKey, productCode } = settings;
  return {
    async paymentPage(order, orderId) {
      const [firstName = "", ...rest] = order.customer.name.split(/\s+/);
      const request = {
        order: { id: orderId, amount: String(order.total), description: `Kopi Nusantara ${order.number}` },
        customer: {
          email: order.customer.email,
          firstName,
          ...(rest.length > 0 && { lastName: rest.join(" ") }),
          mobilePhone: order.customer.phone,
        },
        url: {
          callbackUrl: `${shopUrl()}/callbacks/finpay`,
          backUrl: `${shopUrl()}/orders/${order.token}?lang=${order.language}`,
        },
        billing: {
          billerServiceProvider: { customerId: order.bill?.billingId ?? "", id: productCode, subId: "", type: "post" },
        },
        meta: { data: null },
        sourceOfFunds: { type: "va" },
      };
      const answer = await call("POST", `${finpayUrl}/sof/bp/paymentCard`, JSON.stringify(request));
      if (!answer.ok) return { problem: answer.problem };
      // The published table and the published sample name it differently.
      const address = textAt(answer.fields, "redirecturl") || textAt(answer.fields, "redirectUrl");
      const isUsable = answer.fields["responseCode"] === "2000000" && address.startsWith(`${finpayUrl}/`);
      if (isUsable) return { address };
      return { problem: textAt(answer.fields, "responseMessage") || `HTTP ${answer.status}` };
    },
    async check(orderId) {
      const answer = await call("GET", `${finpayUrl}/sof/bp/checkCard/${encodeURIComponent(orderId)}`);
      if (!answer.ok) return { problem: answer.problem };
      const data = answer.fields["data"];
      if (answer.fields["responseCode"] !== "2000000" || typeof data !== "object" || data === null) {
        return { problem: textAt(answer.fields, "responseMessage") || `HTTP ${answer.status}` };
      }
      if (!isFinpays(data as Record<string, unknown>, finpayKey)) return { problem: "wrong signature" };
      if (textAt(data, "order", "id") !== orderId) return { problem: "it is another order's" };
      return { status: textAt(data, "result", "payment", "status") };
    },
  };
}
