import { Agent, request } from "node:http";
import { inquiryMessage } from "../support/builders";

/** Sends inquiries at a steady rate, whatever becomes of the earlier ones. */
export class GoodClient {
  /** From sending to the whole answer, milliseconds, of each inquiry answered well. */
  readonly durationsMs: number[] = [];
  /** What went wrong, instead of an answer 00. */
  readonly faults: string[] = [];
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 16 });
  readonly #timer: NodeJS.Timeout;
  #pending = 0;
  #sent = 0;

  constructor(
    readonly port: number,
    perSecond: number,
  ) {
    this.#timer = setInterval(() => this.#send(), 1_000 / perSecond);
  }

  /** Stops sending and waits for what is under way. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    const giveUpAtMs = performance.now() + 10_000;
    while (this.#pending > 0 && performance.now() < giveUpAtMs) await new Promise((resolve) => setTimeout(resolve, 10));
    if (this.#pending > 0) this.faults.push(`${this.#pending} inquiries were not answered`);
    this.#agent.destroy();
  }

  /** Every second inquiry comes on a connection of its own: whoever waits for a free place in the backlog shows up. */
  #send(): void {
    const startedMs = performance.now();
    const body = JSON.stringify(inquiryMessage());
    this.#sent += 1;
    this.#pending += 1;
    const done = (fault: string | null): void => {
      this.#pending -= 1;
      if (fault === null) this.durationsMs.push(performance.now() - startedMs);
      else this.faults.push(fault);
    };
    const sending = request(
      {
        ...{ host: "127.0.0.1", port: this.port, path: "/finpay/inquiry", method: "POST" },
        agent: this.#sent % 2 === 0 ? this.#agent : false,
        headers: { "content-type": "application/json", "content-length": Buffer.byteLength(body) },
      },
      (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
        response.on("end", () => done(text.includes('"resultCode":"00"') ? null : text.slice(0, 200)));
      },
    );
    sending.on("error", (error) => done(error.message));
    sending.end(body);
  }
}
