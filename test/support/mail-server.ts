import type { AddressInfo } from "node:net";
import { callbackify } from "node:util";
import { SMTPServer, type SMTPServerOptions } from "smtp-server";

/** One mail as a real SMTP server was given it. */
export interface ReceivedMail {
  readonly from: string;
  readonly recipients: readonly string[];
  readonly isEncrypted: boolean;
  readonly user: string | undefined;
  readonly raw: string;
  /** Decoded values by lower-case name; a header that stands twice is a list of both. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
  readonly text: string;
  readonly html: string;
}

/** A mail server on loopback. */
export interface MailServer {
  readonly port: number;
  readonly received: ReceivedMail[];
  /** What is answered to a recipient or a whole message; by default all is taken. A fault carries `responseCode`. */
  onRecipient: (address: string) => Promise<void>;
  onMessage: (mail: ReceivedMail) => Promise<void>;
  wait(count: number, withinMs?: number): Promise<ReceivedMail[]>;
  close(): Promise<void>;
}

const opened = new Set<MailServer>();
/** A test that fails halfway must not leave servers behind, which would keep the whole run from ending. */
afterAll(async () => {
  for (const server of opened) await server.close();
});

/** A refusal with a reply of its own. */
export function refusal(responseCode: number, text: string): Error {
  return Object.assign(new Error(text), { responseCode });
}

/** Opens it; without options it takes mail in plain text and asks for no password. */
export async function openMailServer(options: SMTPServerOptions = {}, port = 0): Promise<MailServer> {
  const received: ReceivedMail[] = [];
  const smtp = new SMTPServer({
    ...{ authOptional: true, disabledCommands: ["STARTTLS", "AUTH"], logger: false, closeTimeout: 100 },
    onRcptTo: ({ address }, _session, callback) => {
      callbackify(() => server.onRecipient(address))(callback);
    },
    onData: (stream, session, callback) => {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => {
        const { mailFrom, rcptTo } = session.envelope;
        const mail: ReceivedMail = {
          from: mailFrom === false ? "" : mailFrom.address,
          recipients: rcptTo.map(({ address }) => address),
          isEncrypted: session.secure,
          user: session.user as string | undefined,
          ...parsed(Buffer.concat(chunks).toString("latin1")),
        };
        received.push(mail);
        callbackify(() => server.onMessage(mail))((fault) => callback(fault));
      });
    },
    ...options,
  });
  smtp.on("error", () => {});
  const listening = smtp.listen(port, "127.0.0.1");
  await new Promise<void>((resolve) => listening.once("listening", () => resolve()));
  const server: MailServer = {
    port: (listening.address() as AddressInfo).port,
    received,
    onRecipient: () => Promise.resolve(),
    onMessage: () => Promise.resolve(),
    async wait(count, withinMs = 6_000) {
      const giveUpAt = Date.now() + withinMs;
      while (received.length < count && Date.now() < giveUpAt) await new Promise((resolve) => setTimeout(resolve, 20));
      return received;
    },
    close: () =>
      new Promise((resolve) => {
        opened.delete(server);
        smtp.close(() => resolve());
      }),
  };
  opened.add(server);
  return server;
}

type Parts = Pick<ReceivedMail, "raw" | "headers" | "text" | "html">;

/** Takes a mail apart by itself, so that the library that made it is not its own judge. */
function parsed(raw: string): Parts {
  const { headers, body } = split(raw);
  const boundary = /boundary="?([^";]+)"?/.exec(headers.get("content-type")?.[0] ?? "")?.[1];
  const parts =
    boundary === undefined
      ? []
      : body
          .split(`--${boundary}`)
          .slice(1, -1)
          .map((part) => split(part.trimStart()));
  const partOf = (type: string): string => {
    const part = parts.find((each) => each.headers.get("content-type")?.[0]?.startsWith(type) === true);
    return part === undefined ? "" : decoded(part.body, part.headers.get("content-transfer-encoding")?.[0] ?? "");
  };
  return { raw, headers, text: partOf("text/plain"), html: partOf("text/html") };
}

function split(raw: string): { headers: Map<string, string[]>; body: string } {
  const end = raw.indexOf("\r\n\r\n");
  const headers = new Map<string, string[]>();
  for (const line of raw
    .slice(0, end)
    .replaceAll(/\r\n[ \t]+/g, " ")
    .split("\r\n")) {
    const colon = line.indexOf(":");
    const name = line.slice(0, colon).toLowerCase();
    headers.set(name, [...(headers.get(name) ?? []), words(line.slice(colon + 1).trim())]);
  }
  return { headers, body: raw.slice(end + 4) };
}

/** RFC 2047. */
function words(text: string): string {
  return text
    .replaceAll(/\?=\s+=\?/g, "?==?")
    .replaceAll(/=\?utf-8\?([bq])\?([^?]*)\?=/gi, (_match, form: string, content: string) =>
      form.toLowerCase() === "b"
        ? Buffer.from(content, "base64").toString()
        : bytesOf(content.replaceAll("_", " ")).toString(),
    );
}

function decoded(body: string, encoding: string): string {
  if (encoding === "base64") return Buffer.from(body, "base64").toString();
  const bytes = encoding === "quoted-printable" ? bytesOf(body.replaceAll(/=\r\n/g, "")) : Buffer.from(body, "latin1");
  return bytes.toString().replaceAll("\r\n", "\n").trimEnd();
}

function bytesOf(text: string): Buffer {
  const hex = text.replaceAll(/=([0-9A-F]{2})/gi, (_match, code: string) =>
    String.fromCharCode(Number.parseInt(code, 16)),
  );
  return Buffer.from(hex, "latin1");
}
