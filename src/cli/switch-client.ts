import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { Fault, messageOf } from "../platform";
import { buildSignature, formatSwitchTimestamp, type SignatureScheme } from "../wire";

/** A message as the switch would send it: every value text. */
export type OutgoingMessage = Readonly<Record<string, string>>;

/** What a message is made from; amounts as text, so that odd forms can be sent on purpose. */
export interface MessageParts {
  readonly userName: string;
  readonly password: string;
  readonly productCode: string;
  readonly transactionType: string;
  readonly billNumber: string;
  readonly amount: string;
  readonly feeAmount: string;
  readonly bit61: string;
  readonly traxId: string;
  readonly channel?: string;
  readonly terminal?: string;
  /** As it will be signed and sent; unset: now, in the switch's longest form. */
  readonly timeStamp?: string;
  readonly scheme?: SignatureScheme;
}

/** Builds and signs a message. */
export function buildMessage(parts: MessageParts, nowMicros: bigint): OutgoingMessage {
  const terminal = (parts.terminal ?? "BILLER01").padEnd(8, " ");
  const unsigned = {
    userName: parts.userName,
    productCode: parts.productCode,
    channel: parts.channel ?? "6017",
    terminal,
    terminalName: terminal,
    terminalLocation: terminal,
    transactionType: parts.transactionType,
    billNumber: parts.billNumber,
    amount: parts.amount,
    feeAmount: parts.feeAmount,
    bit61: parts.bit61,
    traxId: parts.traxId,
    timeStamp: parts.timeStamp ?? formatSwitchTimestamp(nowMicros),
    addInfo1: "",
    addInfo2: "",
    addInfo3: "",
  };
  const scheme = parts.scheme ?? ({ outer: "sha256", joiner: "" } as const);
  const { userName, ...rest } = unsigned;
  return { userName, signature: buildSignature(unsigned, parts.password, scheme), ...rest };
}

/** What came back. Times in milliseconds. */
export interface SwitchReply {
  readonly status: number;
  readonly isReplay: boolean;
  readonly text: string;
  /** The reply as JSON, or null when it is none. */
  readonly fields: Readonly<Record<string, unknown>> | null;
  readonly durationMs: number;
}

/**
 * Sends a message to a running host.
 *
 * @throws Fault `unreachable` with what to do about it
 */
export function sendMessage(url: string, message: OutgoingMessage, timeoutMs: number): Promise<SwitchReply> {
  const body = JSON.stringify(message);
  const startedMs = performance.now();
  return new Promise((resolve, reject) => {
    const send = url.startsWith("https:") ? httpsRequest : httpRequest;
    const outgoing = send(
      url,
      {
        method: "POST",
        headers: {
          "Content-Type": "application/json",
          Accept: "application/json",
          "Content-Length": Buffer.byteLength(body),
        },
        timeout: timeoutMs,
      },
      (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
        incoming.on("error", reject);
        incoming.on("end", () => {
          const text = Buffer.concat(chunks).toString("utf8");
          resolve({
            status: incoming.statusCode ?? 0,
            isReplay: incoming.headers["x-replayed"] === "true",
            text,
            fields: fieldsOf(text),
            durationMs: performance.now() - startedMs,
          });
        });
      },
    );
    outgoing.on("timeout", () => outgoing.destroy(new Error(`no answer within ${timeoutMs} ms`)));
    outgoing.on("error", (error: NodeJS.ErrnoException) => {
      const hint = error.code === "ECONNREFUSED" ? "nothing listens there; is the host running (npm start)?" : "";
      reject(new Fault("unreachable", `${url}: ${hint || messageOf(error)}`, { cause: error }));
    });
    outgoing.end(body);
  });
}

function fieldsOf(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
