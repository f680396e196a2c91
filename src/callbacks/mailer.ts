import { createTransport } from "nodemailer";
import { Fault, type MailSettings, messageOf } from "../platform";
import type { DeliveryResult } from "./outbox";

/** A mail to one customer. Texts may hold anything but are one line each where they become headers. */
export interface Mail {
  readonly to: { readonly name: string; readonly address: string };
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

/** Hands mails over to the configured server. */
export interface Mailer {
  /** Never throws. The Message-ID follows from the event, so that a second copy can be recognised. */
  send(eventId: string, mail: Mail): Promise<DeliveryResult>;
  /** Connects and signs in, without a mail. @throws when that fails, with a reason that holds no secret */
  verify(): Promise<void>;
  /** Gives up what is being sent. */
  abort(): void;
}

/** Times in milliseconds: to connect, to be greeted, of silence, and of one attempt altogether. */
const TIMEOUTS = { connectionTimeout: 5_000, greetingTimeout: 10_000, socketTimeout: 15_000, dnsTimeout: 5_000 };
const TOTAL_MS = 20_000;

/** Replies that are about us and not about this mail: what they refuse may be accepted once somebody has repaired it. */
const OUR_OWN_FAULTS = new Set([503, 530, 534, 535, 538]);

/** Opens a mailer. Every mail has a connection of its own, so none suffers from what another one met. */
export function openMailer({ host, port, tls, credentials, from }: MailSettings): Mailer {
  const given = new AbortController();
  const transport = createTransport({
    ...{ host, port, ...TIMEOUTS },
    secure: tls === "implicit",
    requireTLS: tls === "starttls",
    ignoreTLS: tls === "none",
    tls: { minVersion: "TLSv1.2" },
    ...(credentials !== null && { auth: { user: credentials.user, pass: credentials.password } }),
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  const domain = from.address.split("@")[1] ?? "";
  return {
    async send(eventId, { to, subject, text, html }) {
      const startedMs = performance.now();
      let outcome: Pick<DeliveryResult, "fault" | "isFinal"> = { fault: null };
      try {
        await transport.sendMail({
          ...{ from, subject: oneLine(subject), text, html },
          to: { name: oneLine(to.name), address: to.address },
          // What is put on the wire is not left to the parsing of any header.
          envelope: { from: from.address, to: [to.address] },
          messageId: `<${eventId}@${domain}>`,
          headers: { "Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All" },
          signal: AbortSignal.any([given.signal, AbortSignal.timeout(TOTAL_MS)]),
        });
      } catch (error) {
        outcome = outcomeOf(error as SmtpError);
      }
      return { durationMs: performance.now() - startedMs, httpStatus: null, ...outcome };
    },
    async verify() {
      try {
        await transport.verify();
      } catch (error) {
        throw new Fault("mail_server", outcomeOf(error as SmtpError).fault);
      }
    },
    abort: () => given.abort(),
  };
}

interface SmtpError extends Error {
  readonly code?: string;
  /** The command that was refused, and the server's reply to it. */
  readonly command?: string;
  readonly responseCode?: number;
  readonly response?: string;
}

/**
 * A reply of 5yz to the sender, the recipient or the message is final; every other failure is not: 4yz, a server that is
 * away or slow, TLS or a password that somebody has to repair.
 */
function outcomeOf(error: SmtpError): { readonly fault: string; readonly isFinal: boolean } {
  const { code, command = "", responseCode, response } = error;
  if (error.name === "AbortError" || code === "EABORT") {
    return { fault: `the mail server did not take it within ${TOTAL_MS} ms`, isFinal: false };
  }
  // The server's text may repeat what it was sent, and that was a password.
  if (code === "EAUTH")
    return { fault: `the mail server refuses our password (${responseCode ?? "no"})`, isFinal: false };
  if (code === "EENVELOPE" && responseCode === undefined) return { fault: "the address is not valid", isFinal: true };
  const isAboutTheMail = ["MAIL FROM", "RCPT TO", "DATA"].includes(command);
  if (responseCode !== undefined && isAboutTheMail) {
    const isFinal = responseCode >= 500 && responseCode <= 599 && !OUR_OWN_FAULTS.has(responseCode);
    return { fault: `${command} refused: ${withoutAddresses(response ?? String(responseCode))}`, isFinal };
  }
  return { fault: withoutAddresses(messageOf(error)), isFinal: false };
}

/** A server's words for operators and logs: one short line that names no customer. */
function withoutAddresses(text: string): string {
  return oneLine(text.slice(0, 2_000))
    .replaceAll(/[^\s<>()"':;,]+@[^\s<>()"':;,]+/g, "(address)")
    .slice(0, 200);
}

/** Line ends and other controls, also those that turn the reading direction, become blanks. */
function oneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\u2028\u2029\u200E\u200F\u202A-\u202E\u2066-\u2069]+/gu, " ").trim();
}
