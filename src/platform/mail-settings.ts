/** Where mail is handed over, and who it is from. Holds a password. */
export interface MailSettings {
  readonly host: string;
  readonly port: number;
  /** `implicit`: TLS from the first byte; `starttls`: upgraded before anything is said, or refused; `none`: plain text. */
  readonly tls: "implicit" | "starttls" | "none";
  /** Null: the server asks for none. */
  readonly credentials: { readonly user: string; readonly password: string } | null;
  readonly from: { readonly name: string; readonly address: string };
}

/** The three settings as they are given. */
export interface MailTexts {
  readonly SMTP_URL: string;
  readonly SMTP_TLS: "on" | "off";
  readonly MAIL_FROM: string;
}

/** Reads them; null when no mail is to be sent. Problems name their setting and never repeat its value. */
export function readMailSettings(texts: MailTexts): {
  readonly mail: MailSettings | null;
  readonly problems: readonly string[];
} {
  if (texts.SMTP_URL === "") {
    const isIdle = texts.MAIL_FROM === "" && texts.SMTP_TLS === "on";
    return { mail: null, problems: isIdle ? [] : ["SMTP_URL: required with MAIL_FROM and SMTP_TLS"] };
  }
  const server = parseSmtpUrl(texts.SMTP_URL, texts.SMTP_TLS === "off");
  const from = texts.MAIL_FROM === "" ? wrong("required with SMTP_URL") : parseSender(texts.MAIL_FROM);
  if (server.ok && from.ok) return { mail: { ...server.value, from: from.value }, problems: [] };
  const problems = [
    ...(server.ok ? [] : [`SMTP_URL: ${server.problem}`]),
    ...(from.ok ? [] : [`MAIL_FROM: ${from.problem}`]),
  ];
  return { mail: null, problems };
}

type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: string };
type Server = Omit<MailSettings, "from">;

const wrong = (problem: string): { readonly ok: false; readonly problem: string } => ({ ok: false, problem });

/**
 * `smtp://user:password@host:587` or `smtps://…:465`; user and password percent-encoded. Nothing may follow the port:
 * settings of TLS hidden in a query string would be easily missed.
 *
 * @param isTlsOff speak plain text over smtp://; refused with a password unless the server is on this machine
 */
function parseSmtpUrl(text: string, isTlsOff: boolean): Parsed<Server> {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return wrong("must be a URL starting with smtp:// or smtps://");
  }
  const { protocol, hostname, port, username, password, pathname, search, hash } = url;
  if (protocol !== "smtp:" && protocol !== "smtps:") return wrong("must be a URL starting with smtp:// or smtps://");
  const host = hostname.replace(/^\[(.*)\]$/, "$1");
  if (host === "") return wrong("must name a host");
  if (!["", "/"].includes(pathname) || search !== "" || hash !== "") return wrong("must hold nothing after the port");
  if ((username === "") !== (password === "")) return wrong("must hold both a user and a password, or neither");
  const isImplicit = protocol === "smtps:";
  if (isImplicit && isTlsOff) return wrong("smtps:// and SMTP_TLS=off contradict each other");
  if (isTlsOff && username !== "" && !isLoopback(host)) {
    return wrong("a password is sent in plain text with SMTP_TLS=off, which is for servers on this machine only");
  }
  const [user, secret] = [decoded(username), decoded(password)];
  if (user === null || secret === null) return wrong("user and password must be percent-encoded");
  const credentials = user === "" ? null : { user, password: secret };
  const tls = isImplicit ? "implicit" : isTlsOff ? "none" : "starttls";
  return { ok: true, value: { host, port: Number(port || (isImplicit ? "465" : "587")), tls, credentials } };
}

/** `billing@example.com` or `Name <billing@example.com>`, in printable ASCII but for the name. */
function parseSender(text: string): Parsed<MailSettings["from"]> {
  const [, name = "", bracketed] = /^([^<>"]{0,100})<([^<>]+)>$/.exec(text) ?? [];
  const address = bracketed ?? text;
  const isFitting = /^[A-Za-z0-9._+-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$/.test(address) && !/\p{Cc}/u.test(name);
  if (!isFitting) return wrong("must be an address like billing@example.com, or Name <billing@example.com>");
  return { ok: true, value: { name: name.trim(), address } };
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127\.[0-9.]+$/.test(host);
}

function decoded(text: string): string | null {
  try {
    const plain = decodeURIComponent(text);
    return /\p{Cc}/u.test(plain) ? null : plain;
  } catch {
    return null;
  }
}
