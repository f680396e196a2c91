import { sign } from "../support/builders";
import { requestByOracle } from "./codec-oracles";
import { type Chance, damaged, DIGITS, ODD_PIECES, oddText, PRINTABLE } from "./random";

/** One hostile act: the bytes, and what may and must come back. */
export interface HttpCase {
  readonly kind: string;
  readonly pieces: readonly Buffer[];
  /** Answers that must come; null: as many as the server likes, then the connection is ended. */
  readonly count: number | null;
  /** No answer is to be expected before the end of the connection. */
  readonly isShort?: true;
  /** A HEAD request: the answers have no bodies. */
  readonly noBody?: boolean;
  /** traxIds of the messages that may be answered with success or stored: whole, authentic, at a fitting address. */
  readonly mayApprove: ReadonlySet<string>;
  /** Of these, the payments and reversals that may take a traxId. */
  readonly mayStore: ReadonlySet<string>;
  /** Of these, the ones that may move money: the amount and the fee are the bill's. */
  readonly mayMove: ReadonlySet<string>;
  /** traxIds that must be echoed, in this order. */
  readonly echoes?: readonly string[];
  /** A payment that nothing is wrong with: it must be booked. */
  readonly mustPay?: string;
}

/** Whom the cases claim to be, and which bills there are. */
export interface World {
  readonly userName: string;
  readonly password: string;
  /** Bills that owe 30000 in three items, fee 5000; the first half is for good payments only. */
  readonly billNumbers: readonly string[];
  readonly seed: number;
}

type Message = Record<string, unknown>;

/** The same for each index and seed. */
export function httpCase(chance: Chance, index: number, world: World): HttpCase {
  const traxId = `F${world.seed.toString(36)}-${index.toString(36)}`;
  const kind = chance.below(100);
  // A good payment every so often: a host that refuses everything would pass all the rest.
  if (index % 50 === 0) return goodPayment(world, index, traxId);
  if (kind < 22) return framed("damaged JSON", damagedJson(chance, world, traxId), chance);
  if (kind < 44) return framed("signed hostile fields", signedHostile(chance, world, traxId), chance);
  if (kind < 56) return framed("wrong types", wrongTypes(chance, world, traxId), chance);
  if (kind < 64) return framed("any text", anyBody(chance), chance);
  if (kind < 74) return oddHeaders(chance, world, traxId);
  if (kind < 80) return pipelined(chance, world, traxId);
  if (kind < 86) return chunked(chance, world, traxId);
  if (kind < 91) return truncated(chance, world, traxId);
  if (kind < 96) return brokenFraming(chance, world, traxId);
  return damagedBytes(chance, world, traxId);
}

const NONE: ReadonlySet<string> = new Set();
const PATHS = ["/finpay/billing", "/finpay/inquiry", "/finpay/payment"] as const;

function message(world: World, traxId: string, changes: Message = {}, password = world.password): Message {
  const unsigned: Message = {
    userName: world.userName,
    productCode: "001001",
    channel: "6017",
    terminal: "T0800004",
    terminalName: "T0800004        ",
    terminalLocation: "T0800004        ",
    transactionType: "50",
    billNumber: "0021008457003",
    amount: "000000030000",
    feeAmount: "5000",
    bit61: "0021008457003",
    timeStamp: "20-03-2023 10: 40: 40",
    addInfo1: "",
    addInfo2: "",
    addInfo3: "",
    ...{ traxId, ...changes },
  };
  return { ...unsigned, signature: sign(unsigned as Record<string, string>, password) };
}

/** What an attacker without the password sends. */
const forged = (world: World, traxId: string): Message => message(world, traxId, {}, "not-the-password");

function request(
  body: string | Buffer,
  path: string = PATHS[0],
  headers = "Content-Type: application/json\r\n",
): Buffer {
  const bytes = typeof body === "string" ? Buffer.from(body) : body;
  const head = `POST ${path} HTTP/1.1\r\nHost: fuzz\r\n${headers}Content-Length: ${bytes.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head, "latin1"), bytes]);
}

/** Judged without the product's code: which of these bodies are whole and authentic, and what they may lead to. */
function rightsOf(
  world: World,
  sent: readonly { readonly body: string; readonly path: string }[],
): Pick<HttpCase, "mayApprove" | "mayStore" | "mayMove"> {
  const [mayApprove, mayStore, mayMove] = [new Set<string>(), new Set<string>(), new Set<string>()];
  for (const { body, path } of sent) {
    let value: Message;
    try {
      value = JSON.parse(body) as Message;
    } catch {
      continue;
    }
    if (typeof value !== "object" || value === null || requestByOracle(value).length > 0) continue;
    const fields = value as Record<string, string>;
    if (fields["userName"] !== world.userName) continue;
    if (fields["signature"]?.toLowerCase() !== sign(fields, world.password)) continue;
    const traxId = fields["traxId"] as string;
    if (fields["transactionType"] === "38" && path !== PATHS[2]) mayApprove.add(traxId);
    const isReversal = fields["transactionType"] === "51";
    if (isReversal ? path !== PATHS[0] : fields["transactionType"] !== "50" || path === PATHS[1]) continue;
    mayApprove.add(traxId);
    mayStore.add(traxId);
    // Nothing was paid under these traxIds: a reversal finds nothing, and only keeps a late payment from being booked.
    if (isReversal) continue;
    if (Number(fields["amount"]) === 30_000 && Number(fields["feeAmount"]) === 5_000) mayMove.add(traxId);
  }
  return { mayApprove, mayStore, mayMove };
}

interface Sent {
  readonly body: string;
  readonly path: string;
  readonly world: World;
}

/** A well-framed request: exactly one answer must come, on a connection that stays usable. */
function framed(kind: string, { body, path, world }: Sent, chance: Chance): HttpCase {
  const bytes = request(body, path);
  const at = chance.oneIn(4) ? chance.below(bytes.length) : 0;
  const pieces = at > 0 ? [bytes.subarray(0, at), bytes.subarray(at)] : [bytes];
  return { kind, pieces, count: 1, ...rightsOf(world, [{ body, path }]) };
}

function goodPayment(world: World, index: number, traxId: string): HttpCase {
  const bills = world.billNumbers.slice(0, world.billNumbers.length / 2);
  const billNumber = bills[(index / 50) % bills.length] as string;
  const body = JSON.stringify(message(world, traxId, { billNumber }));
  // Beyond the last bill they are declined as paid already.
  const mustPay = index / 50 < bills.length ? { mustPay: traxId } : {};
  const rights = rightsOf(world, [{ body, path: PATHS[0] }]);
  return { kind: "good payments", pieces: [request(body)], count: 1, ...rights, ...mustPay, echoes: [traxId] };
}

function damagedJson(chance: Chance, world: World, traxId: string): Sent {
  const billNumber = chance.pick(world.billNumbers.slice(world.billNumbers.length / 2));
  const start = JSON.stringify(message(world, traxId, { billNumber, transactionType: chance.pick(["38", "50"]) }));
  return {
    body: damaged(chance, start, '{"amount":"1","amount":2,"__proto__":{"polluted":1}}'),
    path: chance.pick(PATHS),
    world,
  };
}

const SIGNABLE = [
  "userName",
  "productCode",
  "channel",
  "terminal",
  "transactionType",
  "billNumber",
  "traxId",
  "timeStamp",
];
const UNSIGNED = [
  "terminalName",
  "terminalLocation",
  "amount",
  "feeAmount",
  "bit61",
  "addInfo1",
  "addInfo2",
  "addInfo3",
];
const TRICKS = [
  "'; drop table trax; --",
  "' or '1'='1",
  "%",
  "_____________",
  "\\",
  "${jndi:ldap://x}",
  "{{7*7}}",
  "../../etc/passwd",
  "<script>alert(1)</script>",
  "\u001b[2J",
  "a\r\nX-Injected: 1",
  '"}\n{"level":60}',
  "-1",
  "1e3",
  "0x10",
  "999999999999",
  "000000000000",
  "2147483648",
  "9223372036854775808",
  "32-13-9999 99:99:99",
  "toString",
  "__proto__",
];

function hostileText(chance: Chance): string {
  const kind = chance.below(6);
  if (kind < 2) return chance.pick(TRICKS);
  if (kind === 2) return oddText(chance, 12);
  if (kind === 3)
    return chance.text(
      chance.pick([1, 2, 4, 6, 8, 12, 13, 20, 32, 33, 100, 128, 999, 1_000]),
      chance.pick([DIGITS, PRINTABLE, "A"]),
    );
  return chance.text(chance.below(20), kind === 4 ? DIGITS : PRINTABLE);
}

/** Signed by somebody who has the password: what is inside must still do no harm. */
function signedHostile(chance: Chance, world: World, traxId: string): Sent {
  const billNumber = chance.pick(world.billNumbers.slice(world.billNumbers.length / 2));
  const changes: Message = { billNumber, transactionType: chance.pick(["38", "50", "50", "51"]) };
  for (let n = chance.between(1, 3); n > 0; n--) {
    const field = chance.oneIn(2) ? chance.pick(UNSIGNED) : chance.pick(SIGNABLE);
    changes[field] = hostileText(chance);
  }
  return { body: JSON.stringify(message(world, traxId, changes)), path: chance.pick(PATHS), world };
}

function wrongTypes(chance: Chance, world: World, traxId: string): Sent {
  const changed: Message = { ...message(world, traxId) };
  for (let n = chance.between(1, 3); n > 0; n--) {
    const field = chance.pick(Object.keys(changed));
    changed[field] = chance.pick<unknown>([
      ...[null, 0, -1, 1.5, 1e21, true, [], {}, [changed[field]], { length: 8 }, { toString: 1 }, [[[[[[[[[[]]]]]]]]]]],
      Object.fromEntries(ODD_PIECES.slice(0, 20).map((piece, at) => [`${piece}${at}`, piece])),
    ]);
  }
  if (chance.oneIn(4))
    for (const extra of ["paid_amount", "id", "isPaid", "resultCode"]) changed[extra] = chance.pick([0, "1", null]);
  return { body: JSON.stringify(changed), path: chance.pick(PATHS), world };
}

const NOBODY: World = { userName: "", password: "", billNumbers: [], seed: 0 };

function anyBody(chance: Chance): Sent {
  const kinds = [
    () => "",
    () => oddText(chance, 200),
    () => "[".repeat(chance.below(17_000)),
    () => `{"a":`.repeat(chance.below(3_000)),
    () => `"${"x".repeat(chance.below(20_000))}"`,
    () => chance.pick(["null", "1", "[]", '""', "true", "{}", "\ufeff{}", "{}{}", "1e999"]),
    () => `{${Array.from({ length: chance.below(800) }, (_, n) => `"k${n}":${n}`).join()}}`,
    () => `{"${"\\u0061".repeat(chance.below(2_000))}":1}`,
  ];
  return { body: chance.pick(kinds)(), path: chance.pick(PATHS), world: NOBODY };
}

const TYPES = [
  "text/plain",
  "application/x-www-form-urlencoded",
  "multipart/form-data; boundary=x",
  "application/json; charset=utf-16",
  "application/json; charset=",
  "application/json;;;",
  "application/vnd.api+json",
  "application/csp-report",
  "application/JSON; Charset=UTF-8",
  "*/*",
  "",
  ";",
  "é/ü",
];
const METHODS = [
  "GET",
  "HEAD",
  "PUT",
  "PATCH",
  "DELETE",
  "OPTIONS",
  "TRACE",
  "PROPFIND",
  "LINK",
  "SEARCH",
  "M-SEARCH",
  "PURGE",
];
const ADDRESSES = [
  ...PATHS,
  "/",
  "//",
  "/finpay",
  "/finpay/billing/",
  "//finpay//billing",
  "/FINPAY/BILLING",
  "/finpay/%62illing",
  "/finpay/%2e%2e/metrics",
  "/finpay/billing;x=1",
  "/finpay/billing?x=%",
  "/%",
  "/%ff%fe",
  "/%00",
  "/healthz",
  "/readyz",
  "/metrics",
  "/openapi.json",
  "http://elsewhere/finpay/billing",
  "/__proto__",
  "/constructor",
  "*",
];

/** Well-framed, so that exactly one answer comes, but nothing that any client of ours would send. */
function oddHeaders(chance: Chance, world: World, traxId: string): HttpCase {
  const method = chance.oneIn(2) ? "POST" : chance.pick(METHODS);
  const address = chance.oneIn(20) ? `/${"a".repeat(chance.below(14_000))}` : chance.pick(ADDRESSES);
  const lines = [`Content-Type: ${chance.oneIn(2) ? "application/json" : chance.pick(TYPES)}`];
  const odd = [
    () => `Content-Encoding: ${chance.pick(["gzip", "br", "identity", "deflate", "x", "", "gzip, gzip"])}`,
    () => `X-Forwarded-For: ${chance.pick(["127.0.0.1", "' or 1=1", "x".repeat(500)])}`,
    () => `X-HTTP-Method-Override: DELETE`,
    () => `Host: ${chance.pick(["evil", "localhost:0", "a b", ""])}`,
    () => `Accept: ${chance.pick(["text/html", "*/*;q=9", "x"])}`,
    () => `Accept-Encoding: ${"gzip,".repeat(chance.below(200))}`,
    () => `Range: bytes=0-,0-,0-`,
    () => `If-None-Match: *`,
    () => `If-Modified-Since: Sat, 01 Jan 2050 00:00:00 GMT`,
    () => `Cookie: ${"a=b; ".repeat(chance.below(500))}`,
    () => `Authorization: Basic ${chance.text(20, PRINTABLE)}`,
    () => `__proto__: polluted`,
    () => Array.from({ length: chance.below(100) }, (_, n) => `X-${n}: 1`).join("\r\n"),
    () => `X-Request-Id: ${chance.text(chance.below(200), PRINTABLE)}`,
  ];
  for (let n = chance.below(4); n > 0; n--) lines.push(chance.pick(odd)());
  const body = chance.oneIn(3) ? "" : JSON.stringify(forged(world, traxId));
  const head = `${method} ${address} HTTP/1.1\r\nHost: fuzz\r\n${lines.filter((line) => line !== "").join("\r\n")}\r\n`;
  const bytes = Buffer.from(`${head}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`, "latin1");
  // A second Host or an address that is none is refused by the parser, which then closes.
  const noBody = method === "HEAD" ? { noBody: true } : {};
  return {
    kind: "odd headers",
    pieces: [bytes],
    count: null,
    ...noBody,
    mayApprove: NONE,
    mayStore: NONE,
    mayMove: NONE,
  };
}

/** Several requests in one segment: as many answers, in the same order. */
function pipelined(chance: Chance, world: World, traxId: string): HttpCase {
  const ids = Array.from({ length: chance.between(2, 8) }, (_, n) => `${traxId}.${n}`);
  const sent = ids.map((id) => {
    const inquiry = message(world, id, { transactionType: "38" });
    const path = chance.pick([PATHS[0], PATHS[1]]);
    return { path, body: JSON.stringify(chance.oneIn(2) ? inquiry : forged(world, id)) };
  });
  const bytes = Buffer.concat(sent.map(({ body, path }) => request(body, path)));
  const at = chance.below(bytes.length);
  const pieces = [bytes.subarray(0, at), bytes.subarray(at)].filter((piece) => piece.length > 0);
  return { kind: "pipelining", pieces, count: ids.length, echoes: ids, ...rightsOf(world, sent) };
}

/** A chunked body that is right in spite of its looks, in many segments. */
function chunked(chance: Chance, world: World, traxId: string): HttpCase {
  const body = JSON.stringify(message(world, traxId, { transactionType: "38" }));
  const head = `POST ${PATHS[0]} HTTP/1.1\r\nHost: fuzz\r\nContent-Type: application/json\r\nTransfer-Encoding: ${chance.pick(["chunked", "Chunked"])}\r\n\r\n`;
  const pieces = [Buffer.from(head)];
  for (let at = 0; at < body.length;) {
    const part = body.slice(at, at + chance.between(1, 200));
    const size = part.length.toString(16).padStart(chance.between(1, 6), "0");
    const extension = chance.oneIn(4) ? `;x=${chance.text(chance.below(50), "abc")}` : "";
    pieces.push(Buffer.from(`${chance.oneIn(2) ? size.toUpperCase() : size}${extension}\r\n${part}\r\n`));
    at += part.length;
  }
  pieces.push(Buffer.from(`0\r\n${chance.oneIn(3) ? "X-Trailer: 1\r\n" : ""}\r\n`));
  return { kind: "odd chunks", pieces, count: 1, echoes: [traxId], ...rightsOf(world, [{ body, path: PATHS[0] }]) };
}

/** Less than was announced, and then the end. */
function truncated(chance: Chance, world: World, traxId: string): HttpCase {
  const whole = request(JSON.stringify(message(world, traxId)));
  const pieces = [whole.subarray(0, chance.between(1, whole.length - 1))];
  return { kind: "truncated", pieces, count: null, isShort: true, mayApprove: NONE, mayStore: NONE, mayMove: NONE };
}

/** Framing that two servers could read in two ways. Only the forged message is whole. */
function brokenFraming(chance: Chance, world: World, traxId: string): HttpCase {
  const body = JSON.stringify(forged(world, traxId));
  const size = Buffer.byteLength(body);
  const chunk = `${size.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
  const lines: readonly (readonly [headers: string, body: string])[] = [
    [`Content-Length: ${size}\r\nTransfer-Encoding: chunked`, chunk],
    [`Transfer-Encoding: chunked\r\nContent-Length: ${size}`, body],
    [`Transfer-Encoding: chunked, identity`, chunk],
    [`Transfer-Encoding: identity, chunked`, chunk],
    [`Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked`, chunk],
    [`Transfer-Encoding : chunked`, chunk],
    [`Transfer-Encoding:\u000bchunked`, chunk],
    [`Transfer-Encoding: xchunked`, chunk],
    [`Content-Length: ${size}\r\nContent-Length: ${size}`, body],
    [`Content-Length: ${size}, ${size}`, body],
    [`Content-Length: +${size}`, body],
    [`Content-Length: ${size}e0`, body],
    [`Content-Length: 0x${size.toString(16)}`, body],
    [`Content-Length: -1`, body],
    [`Content-Length: ${"9".repeat(30)}`, body],
    [`Transfer-Encoding: chunked`, `g\r\n${body}\r\n0\r\n\r\n`],
    [`Transfer-Encoding: chunked`, `-1\r\n${body}`],
    [`Transfer-Encoding: chunked`, `ffffffffffffffff\r\n${body}`],
    [`Transfer-Encoding: chunked`, `${size.toString(16)};${"x".repeat(20_000)}\r\n${body}\r\n0\r\n\r\n`],
    [`Transfer-Encoding: chunked`, `${(size - 1).toString(16)}\r\n${body}\r\n0\r\n\r\n`],
    [`Content-Length: ${size}\r\nExpect: ${chance.pick(["100-continue", "200-ok", ""])}`, body],
    [`Content-Length: ${size}\r\nConnection: Upgrade\r\nUpgrade: ${chance.pick(["websocket", "h2c", "x"])}`, body],
    [`Content-Length: ${size}\r\n X-Folded: 1`, body],
    [`Content-Length: ${size}\r\nX\u0000Y: 1`, body],
    [`Content-Length: ${size}\nX-Bare: 1`, body],
  ];
  const [headers, rest] = chance.pick(lines);
  const whole = `POST ${PATHS[0]} HTTP/1.1\r\nHost: fuzz\r\nContent-Type: application/json\r\n${headers}\r\n\r\n${rest}`;
  const others = [
    whole,
    `POST ${PATHS[0]}\r\n\r\n${body}`,
    `POST ${PATHS[0]} HTTP/9.9\r\n\r\n`,
    `CONNECT evil:443 HTTP/1.1\r\nHost: evil:443\r\n\r\n`,
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003",
    "\r\n".repeat(chance.below(2_000)),
    oddText(chance, 300),
  ];
  const text = chance.oneIn(5) ? chance.pick(others) : whole;
  return {
    kind: "broken framing",
    pieces: [Buffer.from(text, "latin1")],
    count: null,
    mayApprove: NONE,
    mayStore: NONE,
    mayMove: NONE,
  };
}

/** A whole request with random bytes changed anywhere; forged, so that no change makes it valid. */
function damagedBytes(chance: Chance, world: World, traxId: string): HttpCase {
  const whole = request(JSON.stringify(forged(world, traxId))).toString("latin1");
  const pieces = [
    Buffer.from(damaged(chance, whole, "\r\n\r\n Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), "latin1"),
  ];
  return { kind: "damaged bytes", pieces, count: null, mayApprove: NONE, mayStore: NONE, mayMove: NONE };
}
