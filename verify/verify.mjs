#!/usr/bin/env node
// Checks a proof of one payment, or a whole export of a sealed ledger. Needs Node.js 20 or later and nothing else: no
// package, no database, no service, no file beside this one. The format is described in docs/AUDIT.md, from which this can
// be written anew in any language.
import { createHash, createPublicKey, verify as verifySignature } from "node:crypto";
import { createReadStream, readFileSync } from "node:fs";
import { createInterface } from "node:readline";

const HELP = `Usage: node verify.mjs FILE [options]

FILE is a proof of one payment (JSON, from "biller ledger proof") or an export of the whole ledger (NDJSON, from
"biller ledger export").

  --key KEY           the key that you trust: its id, its 64 hex digits, or a file that holds either. Without it the file
                      is only checked against the keys that it brings along
  --checkpoints FILE  checkpoints that you got by another way (NDJSON): the file has to agree with them
  --json              the result as JSON
  --help              this text

Exit codes: 0 everything agrees, 1 something does not (the text says what), 64 wrong usage, 66 a file cannot be read.`;

class Mismatch extends Error {}
class Usage extends Error {}

const refuse = (what) => {
  throw new Mismatch(what);
};
const isHex = (text, bytes) => typeof text === "string" && text.length === bytes * 2 && /^[0-9a-f]*$/.test(text);
const sha256 = (...parts) => parts.reduce((hash, part) => hash.update(part), createHash("sha256")).digest();

// ---- canonical texts: a title, then lines "name length value" or "name -" ----

function parseCanonical(text, what) {
  if (typeof text !== "string") refuse(`${what}: not a text`);
  const bytes = Buffer.from(text, "utf8");
  let at = bytes.indexOf(10);
  if (at < 1 || bytes.toString("utf8") !== text) refuse(`${what}: not a canonical text`);
  const title = bytes.toString("utf8", 0, at);
  const fields = [];
  at += 1;
  while (at < bytes.length) {
    const head = /^([A-Za-z0-9]+) (?:(-)\n|(0|[1-9][0-9]{0,8}) )/.exec(bytes.toString("latin1", at, at + 80));
    if (head === null) refuse(`${what}: byte ${at} does not begin a field`);
    at += head[0].length;
    if (head[2] !== undefined) {
      fields.push([head[1], null]);
      continue;
    }
    const end = at + Number(head[3]);
    if (bytes[end] !== 10) refuse(`${what}: field ${head[1]} is not ${head[3]} bytes long`);
    fields.push([head[1], bytes.toString("utf8", at, end)]);
    at = end + 1;
  }
  return { title, fields, get: (name) => fields.find(([each]) => each === name)?.[1] ?? null };
}

function titled(text, title, what) {
  const record = parseCanonical(text, what);
  if (record.title !== title) refuse(`${what}: "${record.title}" where "${title}" was to be`);
  return record;
}

// ---- keys and signatures ----

function isSigned(publicHex, text, signatureHex) {
  if (!isHex(publicHex, 32) || !isHex(signatureHex, 64)) return false;
  const der = Buffer.concat([Buffer.from("302a300506032b6570032100", "hex"), Buffer.from(publicHex, "hex")]);
  const key = createPublicKey({ key: der, format: "der", type: "spki" });
  return verifySignature(null, Buffer.from(text, "utf8"), key, Buffer.from(signatureHex, "hex"));
}

const keyIdOf = (publicHex) => `ed25519-${sha256(Buffer.from(publicHex, "hex")).toString("hex").slice(0, 16)}`;

/** Keys by id. Each is introduced by the one before it, the first by itself. */
class KeyLine {
  #keys = new Map();
  #last = null;
  trustedNo = 0;

  add({ statement, signature }) {
    const record = titled(statement, "biller/key/1", "key");
    const key = { id: record.get("keyId"), no: Number(record.get("keyNo")), publicKey: record.get("publicKey") };
    const what = `key ${key.id}`;
    if (!isHex(key.publicKey, 32) || key.id !== keyIdOf(key.publicKey)) refuse(`${what}: not the key that its id says`);
    if (key.no !== (this.#last?.no ?? 0) + 1) refuse(`${what}: number ${key.no} is out of order`);
    if (record.get("previousKeyId") !== (this.#last?.id ?? null)) refuse(`${what}: does not follow the key before it`);
    if (!isSigned((this.#last ?? key).publicKey, statement, signature))
      refuse(`${what}: not signed by the key before it`);
    this.#keys.set(key.id, key);
    this.#last = key;
  }

  /** A chain is believed when it ends under the trusted key or one that follows it: what came before hangs on that end. */
  trust(trusted) {
    if (trusted === null) return;
    const found = [...this.#keys.values()].find(({ id, publicKey }) => id === trusted || publicKey === trusted);
    if (found === undefined) refuse(`the key that you trust, ${trusted}, is not among the keys of this file`);
    this.trustedNo = found.no;
  }

  believe(no, what) {
    if (no < this.trustedNo) refuse(`${what}: ends before the key that you trust was used`);
  }

  check(keyId, text, signature, what) {
    const key = this.#keys.get(keyId);
    if (key === undefined) refuse(`${what}: signed by ${keyId}, which is no key of this file`);
    if (!isSigned(key.publicKey, text, signature)) refuse(`${what}: the signature is wrong`);
    return key;
  }

  get ids() {
    return [...this.#keys.keys()];
  }
}

// ---- leaves, trees, blocks ----

const leafHash = (text) => sha256(Buffer.of(0), Buffer.from(text, "utf8"));
const nodeHash = (left, right) => sha256(Buffer.of(1), left, right);

function rootOf(hashes) {
  let level = hashes;
  while (level.length > 1) {
    const above = [];
    for (let at = 0; at < level.length; at += 2) {
      above.push(at + 1 < level.length ? nodeHash(level[at], level[at + 1]) : level[at]);
    }
    level = above;
  }
  return level[0];
}

function rootOfPath(hash, leafNo, leaves, path, what) {
  if (!Number.isInteger(leafNo) || leafNo < 0 || leafNo >= leaves) refuse(`${what}: no leaf ${leafNo} among ${leaves}`);
  if (!Array.isArray(path) || !path.every((each) => isHex(each, 32))) refuse(`${what}: the path is no list of hashes`);
  const rest = path.map((each) => Buffer.from(each, "hex"));
  let at = leafNo;
  for (let size = leaves; size > 1; size = Math.ceil(size / 2)) {
    if ((at ^ 1) < size) {
      const beside = rest.shift() ?? refuse(`${what}: the path is too short`);
      hash = at % 2 === 0 ? nodeHash(hash, beside) : nodeHash(beside, hash);
    }
    at >>= 1;
  }
  if (rest.length > 0) refuse(`${what}: the path is too long`);
  return hash;
}

/** A leaf's fields, its personal ones too where they are disclosed and agree with what was sealed. */
function readLeaf(text, disclosed, what) {
  const record = parseCanonical(text, what);
  if (!/^biller\/(entry|reply|action|row)\/1$/.test(record.title)) refuse(`${what}: unknown kind "${record.title}"`);
  const open = {};
  for (const [name, field] of Object.entries(disclosed ?? {})) {
    const { salt, value } = field ?? {};
    if (!isHex(salt, 32) || typeof value !== "string") refuse(`${what}: ${name} is not disclosed as salt and value`);
    const commitment = sha256(Buffer.from(salt, "hex"), Buffer.from(value, "utf8")).toString("hex");
    if (record.get(name) !== commitment) refuse(`${what}: ${name} is not what was sealed`);
    open[name] = name === "bill" ? parseCanonical(`bill\n${value}`, `${what}, bill`) : value;
  }
  return { kind: record.title.split("/")[1], record, open };
}

/** The blocks of one run, each following the one before it. */
class Chain {
  constructor(keys, known) {
    this.keys = keys;
    this.known = known;
    this.last = null;
    this.keyNo = 0;
    this.agreed = 0;
    this.endNo = 0;
  }

  add({ header, signature }) {
    const record = titled(header, "biller/block/1", "block");
    const number = record.get("blockNo");
    const what = `block ${number}`;
    const key = this.keys.check(record.get("keyId"), header, signature, what);
    if (key.no < this.keyNo) refuse(`${what}: signed by ${key.id}, which had been replaced by then`);
    if (this.last === null && number === "1" && record.get("previous") !== "0".repeat(64)) {
      refuse(`${what}: the first block follows another`);
    }
    if (this.last !== null) {
      if (BigInt(number) !== this.last.number + 1n) refuse(`${what}: follows block ${this.last.number}`);
      if (record.get("previous") !== this.last.hash) refuse(`${what}: does not follow the block before it`);
    }
    this.keyNo = key.no;
    this.last = {
      number: BigInt(number),
      hash: sha256(Buffer.from(header, "utf8")).toString("hex"),
      leaves: Number(record.get("leaves")),
      root: record.get("root"),
      sealedAt: record.get("sealedAt"),
    };
    const known = this.known.get(number);
    if (known !== undefined) {
      if (known.blockHash !== this.last.hash) refuse(`${what}: your checkpoint knows another block of that number`);
      this.agreed += 1;
    }
    return this.last;
  }

  checkpoint({ statement, signature }) {
    const record = titled(statement, "biller/checkpoint/1", "checkpoint");
    const what = `checkpoint of block ${record.get("blockNo")}`;
    const key = this.keys.check(record.get("keyId"), statement, signature, what);
    if (record.get("blockNo") !== String(this.last?.number) || record.get("blockHash") !== this.last?.hash) {
      refuse(`${what}: it is not about the block before it`);
    }
    this.endNo = key.no;
    return record.get("blockNo");
  }

  end() {
    if (this.last !== null)
      this.keys.believe(Math.max(this.keyNo, this.endNo), `the chain up to block ${this.last.number}`);
  }
}

// ---- what is checked ----

function checkProof(proof, { trusted, known }) {
  if (!Array.isArray(proof.keys) || !Array.isArray(proof.chains) || !Array.isArray(proof.items)) {
    refuse("the proof lacks keys, chains or items");
  }
  const keys = new KeyLine();
  for (const key of proof.keys) keys.add(key ?? {});
  keys.trust(trusted);
  const blocks = new Map();
  const checkpoints = [];
  let agreed = 0;
  for (const { blocks: run, checkpoint } of proof.chains.map((each) => each ?? {})) {
    if (!Array.isArray(run) || run.length === 0) refuse("a chain has no blocks");
    const chain = new Chain(keys, known);
    for (const each of run) {
      const block = chain.add(each ?? {});
      blocks.set(String(block.number), block);
    }
    if (checkpoint !== null && checkpoint !== undefined) checkpoints.push(chain.checkpoint(checkpoint));
    chain.end();
    agreed += chain.agreed;
  }
  if (proof.items.length === 0) refuse("the proof has no items");
  const items = proof.items.map((item) => {
    const { leaf, disclosed, blockNo, leafNo, path } = item ?? {};
    const what = `leaf ${leafNo} of block ${blockNo}`;
    const block = blocks.get(blockNo) ?? refuse(`${what}: the proof does not hold that block`);
    const read = readLeaf(leaf, disclosed, what);
    const root = rootOfPath(leafHash(leaf), leafNo, block.leaves, path, what).toString("hex");
    if (root !== block.root) refuse(`${what}: it is not in that block`);
    if (read.kind !== "entry" && read.kind !== "reply") refuse(`${what}: no part of a payment: ${read.kind}`);
    if (read.record.get("partnerId") !== String(proof.partnerId)) refuse(`${what}: it is another partner's`);
    if (read.kind === "reply" && read.record.get("traxId") !== proof.traxId) refuse(`${what}: it is of another traxId`);
    return { ...read, what, blockNo, sealedAt: block.sealedAt };
  });
  checkThatEntriesBelong(items);
  return { kind: "proof", traxId: proof.traxId, items, checkpoints, agreed, keys: keys.ids };
}

/** An entry is that of a reply of the proof, or takes back one that is; and it balances. */
function checkThatEntriesBelong(items) {
  const entries = items.filter(({ kind }) => kind === "entry");
  const replies = items.filter(({ kind }) => kind === "reply");
  if (replies.length === 0) refuse("the proof holds no reply");
  const named = new Set(replies.flatMap(({ record }) => record.get("entryId") ?? []));
  for (const { record, what } of entries) {
    if (!named.has(record.get("entryId")) && !named.has(record.get("reversesEntryId"))) {
      refuse(`${what}: its journal entry is that of another payment`);
    }
    checkBalance(record, what);
  }
  for (const { record, what } of replies) {
    const entryId = record.get("entryId");
    if (entryId !== null && !entries.some((entry) => entry.record.get("entryId") === entryId)) {
      refuse(`${what}: its journal entry is not in the proof`);
    }
  }
}

function checkBalance(record, what, totals = new Map()) {
  let difference = 0n;
  for (const posting of record.fields.filter(([name]) => name === "posting").map(([, value]) => value)) {
    const match =
      /^[0-9]+ (\S+) (debit|credit) ([1-9][0-9]*)$/.exec(posting ?? "") ?? refuse(`${what}: no posting: ${posting}`);
    const amount = BigInt(match[3]) * (match[2] === "debit" ? 1n : -1n);
    difference += amount;
    totals.set(match[1], (totals.get(match[1]) ?? 0n) + amount);
  }
  if (difference !== 0n) refuse(`${what}: debits and credits differ by ${difference}`);
}

async function checkExport(lines, { trusted, known }) {
  const keys = new KeyLine();
  const chain = new Chain(keys, known);
  const totals = new Map();
  const seen = new Set();
  const counts = {
    blocks: 0,
    leaves: 0,
    entries: 0,
    replies: 0,
    actions: 0,
    rows: 0,
    expired: 0,
    masked: 0,
    checkpoints: 0,
  };
  let open = [];
  let end = null;
  let hasTrust = false;
  const close = () => {
    if (chain.last === null) return;
    const { number, leaves, root } = chain.last;
    if (open.length !== leaves) refuse(`block ${number}: ${open.length} leaves where ${leaves} were sealed`);
    if (rootOf(open).toString("hex") !== root) refuse(`block ${number}: a leaf is not what was sealed`);
    open = [];
  };
  for await (const line of lines) {
    if (end !== null) refuse("there are lines behind the end");
    const { value, at } = line;
    if (value.type === "key") {
      if (hasTrust) refuse(`line ${at}: a key among the blocks`);
      keys.add(value);
    } else if (value.type === "block") {
      if (!hasTrust) keys.trust(trusted);
      hasTrust = true;
      close();
      chain.add(value);
      counts.blocks += 1;
    } else if (value.type === "leaf") {
      const what = `line ${at}, leaf ${open.length} of block ${chain.last?.number ?? "?"}`;
      if (value.leaf === undefined && value.hash !== undefined) {
        // Requests of a month that is no longer kept: what they were cannot be checked, only that something was there.
        if (!isHex(value.hash, 32)) refuse(`${what}: neither a leaf nor its hash`);
        if (!String(value.itemKey).startsWith("attempts:"))
          refuse(`${what}: only requests may expire, not ${value.itemKey}`);
        counts.expired += 1;
        counts.leaves += 1;
        open.push(Buffer.from(value.hash, "hex"));
        continue;
      }
      const { kind, record, open: disclosed } = readLeaf(value.leaf, value.disclosed, what);
      const name = nameOf(kind, record);
      if (seen.has(name)) refuse(`${what}: ${name} was sealed before`);
      seen.add(name);
      if (kind === "entry") checkBalance(record, what, totals);
      if (!("bill" in disclosed) && (kind === "entry" || kind === "reply")) counts.masked += 1;
      counts.leaves += 1;
      counts[{ entry: "entries", reply: "replies", action: "actions", row: "rows" }[kind]] += 1;
      open.push(leafHash(value.leaf));
    } else if (value.type === "checkpoint") {
      chain.checkpoint(value);
      counts.checkpoints += 1;
    } else if (value.type === "end") {
      close();
      chain.end();
      end = value;
    } else refuse(`line ${at}: unknown type ${JSON.stringify(value.type)}`);
  }
  if (end === null) refuse("the export has no end: it was cut off");
  if (end.blocks !== counts.blocks || end.leaves !== counts.leaves) refuse("the end counts other blocks or leaves");
  const last = chain.last?.number ?? 0n;
  for (const number of known.keys()) {
    if (BigInt(number) > last) refuse(`your checkpoint knows block ${number}; this export ends at block ${last}`);
  }
  return { kind: "export", counts, totals, lastBlock: chain.last, agreed: chain.agreed, keys: keys.ids };
}

function nameOf(kind, record) {
  if (kind === "entry") return `entry ${record.get("entryId")}`;
  if (kind === "action") return `action ${record.get("actionId")}`;
  if (kind === "row") return `${record.get("evidence")} ${record.get("key")}`;
  return `reply ${record.get("partnerId")} ${record.get("family")} ${record.get("traxId")}`;
}

// ---- reading, telling ----

function parseJson(text, what) {
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    refuse(`${what}: not JSON`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) refuse(`${what}: not a JSON object`);
  return value;
}

async function* linesOf(file) {
  let at = 0;
  for await (const text of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) {
    at += 1;
    if (text !== "") yield { at, value: parseJson(text, `line ${at}`) };
  }
}

async function knownCheckpoints(file) {
  const known = new Map();
  if (file === null) return known;
  for await (const { at, value } of linesOf(file)) {
    const record = titled(value.statement, "biller/checkpoint/1", `${file}, line ${at}`);
    known.set(record.get("blockNo"), { blockHash: record.get("blockHash") });
  }
  if (known.size === 0) refuse(`${file} holds no checkpoint`);
  return known;
}

function trustedKey(given) {
  if (given === null) return null;
  const form = /ed25519-[0-9a-f]{16}|[0-9a-f]{64}/;
  if (new RegExp(`^(?:${form.source})$`).test(given)) return given;
  return form.exec(readFileSync(given, "utf8"))?.[0] ?? refuse(`${given} holds no key`);
}

function optionsOf(argv) {
  const options = { file: null, key: null, checkpoints: null, isJson: false, isHelp: false };
  for (let at = 0; at < argv.length; at += 1) {
    const word = argv[at];
    if (word === "--help" || word === "-h") options.isHelp = true;
    else if (word === "--json") options.isJson = true;
    else if (word === "--key" || word === "--checkpoints") {
      at += 1;
      options[word.slice(2)] = argv[at] ?? usage(`${word} needs a value`);
    } else if (word.startsWith("-")) usage(`unknown option ${word}`);
    else if (options.file !== null) usage("one file at a time");
    else options.file = word;
  }
  if (options.file === null && !options.isHelp) usage("name a file");
  return options;
}

function usage(what) {
  throw new Usage(what);
}

async function check({ file, key, checkpoints }) {
  const options = { trusted: trustedKey(key), known: await knownCheckpoints(checkpoints) };
  for await (const { value } of firstLine(file)) {
    if (value.format === "biller-export/1") return checkExport(skipFirst(linesOf(file)), options);
    break;
  }
  const proof = parseJson(readFileSync(file, "utf8"), file);
  if (proof.format !== "biller-proof/1") refuse(`${file}: unknown format ${JSON.stringify(proof.format)}`);
  return checkProof(proof, options);
}

/** The first line if it is JSON by itself: that of an export is, that of an indented proof is not. */
async function* firstLine(file) {
  for await (const text of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) {
    try {
      yield { value: JSON.parse(text) ?? {} };
    } catch {
      // a proof, read as a whole
    }
    return;
  }
}

async function* skipFirst(lines) {
  let isFirst = true;
  for await (const line of lines) {
    if (!isFirst) yield line;
    isFirst = false;
  }
}

function tell(result, { key, checkpoints }) {
  const lines = [];
  if (result.kind === "proof") {
    for (const { kind, record, open, blockNo, sealedAt } of result.items) {
      lines.push(`${nameOf(kind, record)}: sealed in block ${blockNo} at ${sealedAt}`);
      for (const [name, value] of record.fields) if (!(name in open)) lines.push(`    ${name}: ${value ?? "-"}`);
      for (const [name, value] of Object.entries(open)) {
        if (name === "bill") for (const [part, text] of value.fields) lines.push(`    ${part}: ${text}`);
        else lines.push(`    ${name}: ${value}`);
      }
    }
    const at = result.checkpoints.join(", ");
    lines.push(at === "" ? "No checkpoint behind it yet." : `Leads to the checkpoint of block ${at}.`);
  } else {
    const { blocks, leaves, entries, replies, actions, rows, expired, masked, checkpoints: points } = result.counts;
    lines.push(
      `${blocks} blocks, ${leaves} leaves: ${entries} entries, ${replies} replies, ${actions} actions, ${rows} other rows`,
    );
    if (expired > 0)
      lines.push(`${expired} leaves are of requests that are no longer kept: their hashes alone are there`);
    lines.push(`${masked} of them masked; ${points} checkpoints`);
    for (const [account, total] of [...result.totals].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
      lines.push(`    ${account}: ${total < 0n ? `${-total} credit` : `${total} debit`}`);
    }
  }
  if (checkpoints !== null) lines.push(`${result.agreed} of your checkpoints agree.`);
  if (key === null) lines.push(`Keys: ${result.keys.join(", ")}. Compare them with what you were given, or use --key.`);
  lines.push("OK: everything agrees.");
  return lines.join("\n");
}

function asJson(result) {
  const plain = (value) =>
    typeof value === "bigint" ? value.toString() : value instanceof Map ? Object.fromEntries(value) : value;
  const items = result.items?.map(({ kind, record, open, blockNo, sealedAt }) => ({
    ...{ kind, blockNo, sealedAt, fields: record.fields },
    disclosed: Object.fromEntries(Object.entries(open).map(([name, value]) => [name, value.fields ?? value])),
  }));
  return JSON.stringify({ ok: true, ...result, items }, (_name, value) => plain(value), 2);
}

async function main(argv) {
  let options = { isJson: argv.includes("--json") };
  try {
    options = optionsOf(argv);
    if (options.isHelp) {
      console.log(HELP);
      return 0;
    }
    const result = await check(options);
    if (options.checkpoints !== null && result.agreed === 0) {
      refuse("none of your checkpoints is about a block of this file: ask for a proof that leads to one of them");
    }
    console.log(options.isJson ? asJson(result) : tell(result, options));
    return 0;
  } catch (error) {
    if (error instanceof Usage) {
      console.error(`${error.message}\n\n${HELP}`);
      return 64;
    }
    const isMismatch = error instanceof Mismatch;
    const text = isMismatch ? error.message : `cannot be read: ${error.message}`;
    if (options.isJson) console.log(JSON.stringify({ ok: false, fault: text }));
    else console.error(`NOT PROVEN: ${text}`);
    return isMismatch ? 1 : 66;
  }
}

process.exitCode = await main(process.argv.slice(2));
