// Checks a proof, written from the description in docs/AUDIT.md alone; stands in for proof-reader.py where there is no
// Python. Usage: node proof-reader.mjs PROOF TRUSTED_KEY_ID
import { createHash, createPublicKey, verify } from "node:crypto";
import { readFileSync } from "node:fs";

const [path, trusted] = process.argv.slice(2);
const proof = JSON.parse(readFileSync(path, "utf8"));
const sha = (...parts) => createHash("sha256").update(Buffer.concat(parts)).digest();
const utf8 = (text) => Buffer.from(text, "utf8");
const insist = (isTrue, what) => {
  if (isTrue) return;
  console.error(`not proven: ${what}`);
  process.exit(1);
};

function parse(text) {
  let rest = utf8(text);
  const take = (mark) => {
    const end = rest.indexOf(mark);
    const taken = rest.subarray(0, end).toString();
    rest = rest.subarray(end + 1);
    return taken;
  };
  const title = take("\n");
  const fields = new Map();
  while (rest.length > 0) {
    const name = take(" ");
    if (rest[0] === 0x2d) {
      take("\n");
      fields.set(name, null);
      continue;
    }
    const length = Number(take(" "));
    fields.set(name, rest.subarray(0, length).toString());
    insist(rest[length] === 0x0a, "a field is not as long as it says");
    rest = rest.subarray(length + 1);
  }
  return { title, fields };
}

function signed(publicHex, text, signature) {
  const key = createPublicKey({
    key: { kty: "OKP", crv: "Ed25519", x: Buffer.from(publicHex, "hex").toString("base64url") },
    format: "jwk",
  });
  return verify(null, utf8(text), key, Buffer.from(signature, "hex"));
}

const keys = new Map();
let last = null;
for (const { statement, signature } of proof.keys) {
  const { fields } = parse(statement);
  const hex = fields.get("publicKey");
  const name = `ed25519-${sha(Buffer.from(hex, "hex")).toString("hex").slice(0, 16)}`;
  insist(
    fields.get("keyId") === name && fields.get("previousKeyId") === (last?.id ?? null),
    "a key is not what it says",
  );
  insist(signed(last?.hex ?? hex, statement, signature), "a key is not introduced by the one before it");
  last = { id: name, hex };
  keys.set(name, hex);
}
insist(keys.has(trusted), "the trusted key is not there");

const blocks = new Map();
for (const { blocks: run, checkpoint } of proof.chains) {
  let previous = null;
  let end = null;
  for (const { header, signature } of run) {
    const { fields } = parse(header);
    insist(signed(keys.get(fields.get("keyId")), header, signature), "a block's signature is wrong");
    insist(previous === null || fields.get("previous") === previous, "a block does not follow the one before it");
    previous = sha(utf8(header)).toString("hex");
    end = fields;
    blocks.set(fields.get("blockNo"), fields);
  }
  if (checkpoint === null) continue;
  const { fields } = parse(checkpoint.statement);
  insist(
    signed(keys.get(fields.get("keyId")), checkpoint.statement, checkpoint.signature),
    "a checkpoint is not signed",
  );
  insist(
    fields.get("blockNo") === end.get("blockNo") && fields.get("blockHash") === previous,
    "a checkpoint of another block",
  );
}

for (const { leaf, disclosed, blockNo, leafNo, path: beside } of proof.items) {
  const { fields } = parse(leaf);
  for (const [name, { salt, value }] of Object.entries(disclosed)) {
    const commitment = sha(Buffer.from(salt, "hex"), utf8(value)).toString("hex");
    insist(fields.get(name) === commitment, `${name} is not what was sealed`);
  }
  let hash = sha(Buffer.of(0), utf8(leaf));
  let at = leafNo;
  const rest = beside.map((each) => Buffer.from(each, "hex"));
  for (let size = Number(blocks.get(blockNo).get("leaves")); size > 1; size = (size + 1) >> 1) {
    if ((at ^ 1) < size) {
      hash = at % 2 === 0 ? sha(Buffer.of(1), hash, rest.shift()) : sha(Buffer.of(1), rest.shift(), hash);
    }
    at >>= 1;
  }
  insist(rest.length === 0 && hash.toString("hex") === blocks.get(blockNo).get("root"), "a leaf is not in its block");
}
console.log(`proven: ${proof.traxId}`);
