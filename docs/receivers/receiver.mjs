// Receives callbacks of the biller host. Node.js 18 or later, no packages: CALLBACK_SECRET=… PORT=9000 node receiver.mjs
import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";

const secret = process.env.CALLBACK_SECRET;
/** Events that were dealt with. In earnest: a table with a unique key, written in the transaction that marks the order paid. */
const seen = new Set();

/** Over the raw bytes, before they are parsed; one of several signatures is enough, while a key is being replaced. */
function isOurs(headers, rawBody) {
  const { "x-event-id": id = "", "x-timestamp": time = "", "x-signature": signatures = "" } = headers;
  const wanted = createHmac("sha256", secret).update(`${id}.${time}.`).update(rawBody).digest();
  const isFresh = Math.abs(Date.now() / 1000 - Number(time)) < 300;
  const isSigned = signatures.split(",").some((part) => {
    const given = Buffer.from(part.trim().replace(/^v1=/, ""), "hex");
    return given.length === wanted.length && timingSafeEqual(given, wanted);
  });
  return isFresh && isSigned;
}

createServer((request, response) => {
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => {
    const rawBody = Buffer.concat(chunks);
    if (!isOurs(request.headers, rawBody)) {
      response.writeHead(401).end();
      return;
    }
    const id = request.headers["x-event-id"];
    const event = JSON.parse(rawBody.toString());
    // The same event may come again: answer it the same, and do nothing twice.
    if (!seen.has(id)) {
      const { transaction_number, billing_status, payment_amount } = event;
      process.stdout.write(`${id} ${transaction_number} ${billing_status} ${payment_amount}\n`);
    }
    seen.add(id);
    response.writeHead(204).end();
  });
}).listen(Number(process.env.PORT ?? 9000), "127.0.0.1");
