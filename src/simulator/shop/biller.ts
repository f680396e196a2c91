import { type Answer, call, textAt } from "./call";
import { BILL_STATUSES, type BillStatus, type ShopOrder } from "./order";
import { proofOf, publishedSignature } from "./proof";
import type { ShopSettings } from "./settings";

/** The shop as a merchant of the biller: its published calls, signed both ways. None of them throws. */
export interface BillerClient {
  /** @returns the bill, or what is wrong */
  create(order: ShopOrder, nowMs: number): Promise<{ billingId: string; url: string } | { problem: string }>;
  /** @returns the bill's status, or what is wrong */
  inquire(order: ShopOrder, nowMs: number): Promise<{ status: BillStatus } | { problem: string }>;
  /** @returns null when it is cancelled, or what is wrong */
  cancel(order: ShopOrder, nowMs: number): Promise<string | null>;
}

/** `YYYY-MM-DD hh:mm:ss` in Jakarta of an instant in epoch milliseconds. */
export function jakartaText(epochMs: number): string {
  return new Date(epochMs + 7 * 3_600_000).toISOString().slice(0, 19).replace("T", " ");
}

/** A client of the biller's API for merchants. */
export function createBillerClient(settings: ShopSettings): BillerClient {
  const { billerUrl, serviceId, userName, password, hmacSecret } = settings;
  const common = ({ number, bill }: ShopOrder): Record<string, string> => ({
    service_id: serviceId,
    transaction_number: number,
    signature: publishedSignature(userName, password, number),
    ...(bill === null ? {} : { billing_id: bill.billingId }),
  });
  const post = (path: string, fields: Readonly<Record<string, unknown>>, nowMs: number): Promise<Answer> => {
    const body = JSON.stringify(fields);
    return call("POST", `${billerUrl}${path}`, body, proofOf(body, hmacSecret, nowMs));
  };
  return {
    async create(order, nowMs) {
      const { customer, lines, total, language, dueAtMs } = order;
      const answer = await post(
        "/billing/create",
        {
          ...common(order),
          billing_total: String(total),
          billing_due_date: jakartaText(dueAtMs),
          billing_language: language === "id" ? "ID" : "EN",
          billing_notes: "Kopi Nusantara",
          items: lines.map(({ product, quantity }) => ({
            item_name: product.name,
            qty: quantity,
            item_amount: String(product.price),
          })),
          customer_name: customer.name,
          customer_email: customer.email,
          customer_phone: customer.phone,
        },
        nowMs,
      );
      const problem = problemOf(answer);
      if (problem !== null || !answer.ok) return { problem: problem ?? "no answer" };
      const [billingId, url] = [textAt(answer.fields, "billing_id"), textAt(answer.fields, "billing_url")];
      if (!/^[0-9]{13}$/.test(billingId)) return { problem: "the answer has no billing_id" };
      return { billingId, url: /^https?:\/\//.test(url) ? url : "" };
    },
    async inquire(order, nowMs) {
      const query = new URLSearchParams(common(order)).toString();
      const answer = await call(
        "GET",
        `${billerUrl}/billing/inquire?${query}`,
        undefined,
        proofOf(query, hmacSecret, nowMs),
      );
      const problem = problemOf(answer);
      if (problem !== null || !answer.ok) return { problem: problem ?? "no answer" };
      const status = BILL_STATUSES.find((each) => each === textAt(answer.fields, "billing_status"));
      return status === undefined ? { problem: "the answer has no billing_status" } : { status };
    },
    async cancel(order, nowMs) {
      return problemOf(await post("/billing/cancel", common(order), nowMs));
    },
  };
}

function problemOf(answer: Answer): string | null {
  if (!answer.ok) return answer.problem;
  const { fields, status } = answer;
  if (fields["response_code"] === "00") return null;
  return textAt(fields, "response_message") || `HTTP ${status}`;
}
