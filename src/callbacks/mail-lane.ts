import { messageOf } from "../platform";
import { type DeliveryOptions, type Dispatcher, openLane } from "./lane";
import type { Mail, Mailer } from "./mailer";
import type { ClaimedEvent, DeliveryResult } from "./outbox";
import { queueWaitingReceipts } from "./receipts";

/** What is to be mailed about an event; or why nothing is, now that its bill has moved on. */
export type Composed = { readonly mail: Mail } | { readonly outdated: string };

/** Settings of the mail lane. */
export interface MailLaneOptions extends DeliveryOptions {
  readonly mailer: Mailer;
  readonly compose: (event: ClaimedEvent) => Promise<Composed>;
}

/** Time that a stopping process gives mails that are being handed over, milliseconds. */
const CLOSE_MS = 5_000;

/** Starts mailing. Shares the outbox and its retries with the callbacks, and nothing else: neither waits for the other. */
export function openMailLane(options: MailLaneOptions): Dispatcher {
  const lane = openLane({
    ...options,
    lane: "email",
    ...{ inFlightMax: 8, perMerchantMax: 4, leaseMs: 60_000, pollMs: 500 },
    attempt: (event) => attempt(options, event),
    alsoClaim: queueWaitingReceipts,
  });
  return {
    async close() {
      const giveUp = setTimeout(() => options.mailer.abort(), CLOSE_MS);
      await lane.close();
      clearTimeout(giveUp);
    },
  };
}

async function attempt({ mailer, compose }: MailLaneOptions, event: ClaimedEvent): Promise<DeliveryResult> {
  const nothing = { durationMs: 0, httpStatus: null };
  try {
    const composed = await compose(event);
    if ("outdated" in composed) return { ...nothing, fault: `not sent: ${composed.outdated}`, isFinal: true };
    return await mailer.send(event.eventId, composed.mail);
  } catch (error) {
    return { ...nothing, fault: messageOf(error).slice(0, 200) };
  }
}
