import { type Branch, type Listing, listingOf } from "./listing";

const FIELDS = `b.header, b.block_hash, b.signature, b.leaf_count, b.sealed_at, c.statement as checkpoint_statement,
  c.signature as checkpoint_signature, c.made_at as checkpoint_made_at`;
/** A field of a canonical header: its name, the length of its value, its value (docs/AUDIT.md). */
const headerField = (name: string, width: number): string =>
  `split_part(split_part(s.header, E'\\n${name} ${width} ', 2), E'\\n', 1)`;
const block = (join: string): Branch => ({
  from: `seal_block b ${join} seal_checkpoint c on c.block_no = b.block_no`,
  key: ["b.block_no"],
  fields: FIELDS,
});

/** Blocks of the seal, each with its checkpoint where one was made. Their leaves are in proofs and exports. */
const blocks = listingOf({
  name: "blocks",
  scope: "ledger",
  about: "Sealed blocks: header, hash, signature, key, and the checkpoint where one was made",
  key: [{ name: "block_no", type: "int" }],
  branches: [
    { ...block("left join"), isEmpty: ({ checkpoint }) => checkpoint === "true" },
    {
      // From the checkpoints, of which there are few, to their blocks.
      ...block("join"),
      key: ["c.block_no"],
      isEmpty: ({ checkpoint }) => checkpoint !== "true",
    },
  ],
  direct: { block: { ...block("left join"), where: "b.block_no = ?::int" } },
  columns: [
    ["blockNo", "number", "s.block_no::int"],
    ["sealedAt", "time", "s.sealed_at"],
    ["leaves", "number", "s.leaf_count"],
    ["keyId", "text", headerField("keyId", 24)],
    ["root", "text", headerField("root", 64)],
    ["previousHash", "text", headerField("previous", 64)],
    ["blockHash", "text", "encode(s.block_hash, 'hex')"],
    ["header", "text", "s.header"],
    ["signature", "text", "encode(s.signature, 'hex')"],
    ["checkpointMadeAt", "time", "s.checkpoint_made_at"],
    ["checkpoint", "text", "s.checkpoint_statement"],
    ["checkpointSignature", "text", "encode(s.checkpoint_signature, 'hex')"],
  ],
  filters: {
    block: { kind: "number", about: "number of the block", sql: "s.block_no = ?::int" },
    key: { kind: "text", about: "id of the signing key", sql: `${headerField("keyId", 24)} = ?` },
    checkpoint: {
      kind: "choice",
      choices: ["true", "false"],
      about: "only blocks with a checkpoint, or only without",
      sql: "(s.checkpoint_made_at is not null) = ?::boolean",
    },
    from: { kind: "instant", about: "sealed, not before this instant", sql: "s.sealed_at >= ?::timestamptz" },
    to: { kind: "instant", about: "sealed, before this instant", sql: "s.sealed_at < ?::timestamptz" },
  },
});

/** The listing of the seal. */
export const SEAL_LISTINGS: readonly Listing[] = [blocks];
