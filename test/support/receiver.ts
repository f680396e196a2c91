import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** One callback as it arrived. */
export interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly fields: Record<string, unknown>;
  readonly atMs: number;
}

/** A merchant's own server, that keeps what it gets. */
export interface Receiver {
  readonly port: number;
  readonly received: Received[];
  /** What is answered; by default 200. */
  answer: (call: Received, response: ServerResponse) => void;
  /** Resolves when as many callbacks have arrived. */
  wait(count: number, withinMs?: number): Promise<Received[]>;
  close(): Promise<void>;
}

const opened = new Set<Receiver>();
/** A test that fails halfway must not leave servers behind, which would keep the whole run from ending. */
afterAll(async () => {
  for (const receiver of opened) await receiver.close();
});

/** Opens a receiver on 127.0.0.1. */
export async function openReceiver(): Promise<Receiver> {
  const received: Received[] = [];
  const receiver: Receiver = {
    port: 0,
    received,
    answer: (_call, response) => void response.end("ok"),
    async wait(count, withinMs = 5_000) {
      const giveUpAt = Date.now() + withinMs;
      while (received.length < count && Date.now() < giveUpAt) await new Promise((resolve) => setTimeout(resolve, 20));
      return received;
    },
    close: () =>
      new Promise((resolve) => {
        opened.delete(receiver);
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = Buffer.concat(chunks).toString();
      const fields = JSON.parse(body) as Record<string, unknown>;
      const call = { path: request.url ?? "", headers: request.headers, body, fields, atMs: Date.now() };
      received.push(call);
      receiver.answer(call, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  opened.add(receiver);
  return Object.assign(receiver, { port: (server.address() as AddressInfo).port });
}
