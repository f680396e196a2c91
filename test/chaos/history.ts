import { request as httpRequest } from "node:http";
import type { HostProcess } from "./host";

export type Message = Readonly<Record<string, string>>;

/** What came back. */
export interface Reply {
  readonly status: number;
  readonly code: string;
  readonly text: string;
  readonly isReplay: boolean;
}

/** One request as the client saw it. Times in milliseconds since the start of the history. */
export interface Exchange {
  readonly traxId: string;
  readonly family: "payment" | "reversal";
  /** The hard fields, as values. */
  readonly variant: string;
  readonly message: Message;
  readonly host: string;
  readonly sentAtMs: number;
  readonly endedAtMs: number;
  /** Null: none came. */
  readonly reply: Reply | null;
  /** Why there is no reply. */
  readonly problem: string | null;
  /** True when nothing was done to the host that could keep it from answering in time. */
  readonly hostWasWell: boolean;
}

/** What the client keeps for itself, outside of everything that is tested. */
export interface History {
  readonly exchanges: Exchange[];
  /** Sends once; a request that fails is not repeated. Waits `patienceMs` at most. */
  send(host: HostProcess, message: Message, patienceMs: number): Promise<Exchange>;
}

/** What makes two messages under one traxId the same. */
export function variantOf({ productCode, billNumber, amount, feeAmount }: Message): string {
  return `${productCode} ${billNumber} ${BigInt(amount ?? "0")} ${BigInt(feeAmount ?? "0")}`;
}

/** A reply that settles the matter: approved or declined. */
export function isDefinite(reply: Reply | null): reply is Reply {
  return reply !== null && reply.status === 200 && reply.code !== UNKNOWN_CODE;
}

export const APPROVED_CODE = "00";
export const UNKNOWN_CODE = "68";
export const CONFLICT_CODE = "94";
/** Reversed, not found, not to be reversed. */
export const REVERSED_CODE = "21";
export const BAD_AMOUNT_CODE = "13";
export const ALREADY_PAID_CODE = "88";

/** Starts an empty one. */
export function openHistory(): History {
  const startedMs = performance.now();
  const exchanges: Exchange[] = [];
  return {
    exchanges,
    async send(host, message, patienceMs) {
      const sentMs = performance.now();
      const wasDoomed = host.isDoomed || host.end !== null || host.isFrozen();
      let reply: Reply | null = null;
      let problem: string | null = null;
      try {
        reply = await post(`${host.url}/finpay/billing`, JSON.stringify(message), patienceMs);
      } catch (error) {
        problem = error instanceof Error ? error.message : String(error);
        // A host that was killed breaks its connections before we are told that it ended.
        if (host.end === null) await new Promise((resolve) => setTimeout(resolve, 30));
      }
      const wasHarmed = wasDoomed || host.isDoomed || host.end !== null || host.isFrozen() || host.thawedAtMs > sentMs;
      const exchange: Exchange = {
        traxId: message["traxId"] ?? "",
        family: message["transactionType"] === "51" ? "reversal" : "payment",
        variant: variantOf(message),
        message,
        host: host.name,
        sentAtMs: sentMs - startedMs,
        endedAtMs: performance.now() - startedMs,
        ...{ reply, problem },
        hostWasWell: !wasHarmed,
      };
      exchanges.push(exchange);
      return exchange;
    },
  };
}

function post(url: string, body: string, patienceMs: number): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, {
      method: "POST",
      // A connection for each: a reused one may be closed by the other end at the very moment it is used.
      agent: false,
      headers: { "content-type": "application/json", "content-length": Buffer.byteLength(body) },
    });
    const timer = setTimeout(() => request.destroy(new Error(`no reply within ${patienceMs} ms`)), patienceMs);
    const fail = (error: Error): void => {
      clearTimeout(timer);
      reject(error);
    };
    request.on("error", fail);
    request.on("response", (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", fail);
      response.on("close", () => {
        if (!response.complete) fail(new Error("the reply broke off"));
      });
      response.on("end", () => {
        clearTimeout(timer);
        const text = Buffer.concat(chunks).toString("utf8");
        resolve({
          status: response.statusCode ?? 0,
          code: codeOf(text),
          text,
          isReplay: response.headers["x-replayed"] === "true",
        });
      });
    });
    request.end(body);
  });
}

function codeOf(text: string): string {
  try {
    const { resultCode } = JSON.parse(text) as { resultCode?: unknown };
    return typeof resultCode === "string" ? resultCode : "";
  } catch {
    return "";
  }
}

/** The history of one traxId, for people. */
export function describe(exchanges: readonly Exchange[], traxId: string): string {
  return exchanges
    .filter((each) => each.traxId === traxId)
    .toSorted((a, b) => a.sentAtMs - b.sentAtMs)
    .map(({ sentAtMs, endedAtMs, host, family, variant, reply, problem, hostWasWell }) => {
      const answer =
        reply === null
          ? `no reply (${problem})`
          : `${reply.status} ${reply.code}${reply.isReplay ? " replayed" : ""} ${reply.text}`;
      const span = `${sentAtMs.toFixed(0)}..${endedAtMs.toFixed(0)} ms`;
      return `    ${span} ${host}${hostWasWell ? "" : " (harmed)"} ${family} [${variant}] -> ${answer}`;
    })
    .join("\n");
}
