import { createHash } from "node:crypto";
import { request } from "node:http";
import { createSecretBox } from "../../src/platform";
import { insertMerchant } from "../../src/store";
import { testDb, TEST_KEYS, transact } from "./builders";
import type { TestDatabase } from "./services";

export const MERCHANT = { serviceId: "1041", userName: "toko", password: "merchant-password" } as const;
export const SECRETS = { password: MERCHANT.password, hmac: "hmac-secret", callback: "callback-secret" } as const;

/** Creates a merchant; what a test cares about is handed in. */
export async function addMerchant(
  database: TestDatabase,
  changes: { serviceId?: string; name?: string; callbackUrl?: string | null; requiresHmac?: boolean } = {},
): Promise<void> {
  const db = testDb(database.ownerUrl, 1);
  const merchant = {
    ...{ serviceId: MERCHANT.serviceId, name: "TOKO MAJU JAYA", userName: MERCHANT.userName, callbackUrl: null },
    ...{ requiresHmac: false, secrets: SECRETS },
    ...changes,
  };
  await transact(db, (tx) => insertMerchant(tx, merchant, createSecretBox(TEST_KEYS)));
  await db.close();
}

/** The published signature, written out apart from the product's own code. */
export function legacySignature(transactionNumber: string, password: string = MERCHANT.password): string {
  const inner = createHash("md5").update(`${MERCHANT.userName}${password}${transactionNumber}`).digest("hex");
  return createHash("sha1").update(inner).digest("hex");
}

let counter = 0;

/** A request to create a bill of 50000. */
export function billingRequest(
  changes: Record<string, unknown> & { transaction_number?: string } = {},
): Record<string, unknown> {
  counter += 1;
  const transaction_number = changes.transaction_number ?? `INV${process.pid}${counter}`;
  return {
    service_id: MERCHANT.serviceId,
    transaction_number,
    billing_total: 50_000,
    customer_name: "SITI AMINAH",
    customer_email: "siti@example.com",
    customer_phone: "081234567890",
    signature: legacySignature(transaction_number),
    ...changes,
  };
}

/** What came back from a merchants' address. */
export interface BillingReply {
  readonly status: number;
  readonly fields: Record<string, unknown>;
}

/** Calls an address with any method and body: fetch cannot send a body with GET, as the published call wants. */
export function callBilling(
  url: string,
  options: { method?: string; body?: unknown; headers?: Record<string, string> } = {},
): Promise<BillingReply> {
  const { method = "POST", body, headers = {} } = options;
  const text = body === undefined ? "" : typeof body === "string" ? body : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const outgoing = request(
      url,
      {
        method,
        headers:
          text === ""
            ? headers
            : { "content-type": "application/json", "content-length": Buffer.byteLength(text), ...headers },
      },
      (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
        incoming.on("end", () => {
          const fields = JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>;
          resolve({ status: incoming.statusCode ?? 0, fields });
        });
      },
    );
    outgoing.on("error", reject);
    outgoing.end(text);
  });
}
