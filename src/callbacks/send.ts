import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { messageOf } from "../platform";
import type { DeliveryResult } from "./outbox";
import type { VettedTarget } from "./vetted-address";

/** Whole time of one attempt, milliseconds, and how much of an answer is read before it is thrown away. */
const TIMEOUT_MS = 5_000;
const ANSWER_MAX_BYTES = 65_536;

/**
 * Posts a body to a vetted address. Connects to that very address, whatever the name means by now; follows no redirect;
 * reads no more of the answer than needed. Success is a status of 200 to 299. Never throws.
 */
export function sendCallback(
  target: VettedTarget,
  body: string,
  headers: Readonly<Record<string, string>>,
  timeoutMs = TIMEOUT_MS,
): Promise<DeliveryResult> {
  const startedMs = performance.now();
  const { url, address, family } = target;
  const send = url.protocol === "https:" ? httpsRequest : httpRequest;
  return new Promise((resolve) => {
    const finish = (httpStatus: number | null, fault: string | null): void => {
      clearTimeout(timer);
      outgoing.destroy();
      resolve({ durationMs: performance.now() - startedMs, httpStatus, fault });
    };
    const outgoing = send(
      url,
      {
        method: "POST",
        agent: false,
        maxHeaderSize: 16_384,
        lookup: (_hostname, options, callback) => {
          if (options.all === true) callback(null, [{ address, family }]);
          else callback(null, address, family);
        },
        headers: {
          ...headers,
          "Content-Type": "application/json",
          "Content-Length": String(Buffer.byteLength(body)),
          "User-Agent": "finpay-biller-host",
          Connection: "close",
        },
      },
      (incoming) => {
        const status = incoming.statusCode ?? 0;
        const fault = status >= 200 && status <= 299 ? null : `answered with status ${status}`;
        let bytes = 0;
        incoming.on("data", (chunk: Buffer) => {
          bytes += chunk.length;
          if (bytes > ANSWER_MAX_BYTES) finish(status, fault);
        });
        incoming.on("end", () => finish(status, fault));
        incoming.on("error", () => finish(status, fault));
      },
    );
    const timer = setTimeout(() => finish(null, `no answer within ${timeoutMs} ms`), timeoutMs);
    outgoing.on("error", (error) => finish(null, messageOf(error).slice(0, 200)));
    outgoing.end(body);
  });
}
