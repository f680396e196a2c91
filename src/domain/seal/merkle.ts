import { createHash } from "node:crypto";

const LEAF = Buffer.of(0x00);
const NODE = Buffer.of(0x01);

/** SHA-256 over 0x00 and the leaf's canonical text (RFC 6962, section 2.1). 32 bytes. */
export function leafHash(leaf: string): Buffer {
  return createHash("sha256").update(LEAF).update(leaf, "utf8").digest();
}

function nodeHash(left: Buffer, right: Buffer): Buffer {
  return createHash("sha256").update(NODE).update(left).update(right).digest();
}

/** Root over one or more leaf hashes: the left half of a tree is the largest power of two below its size (RFC 6962). */
export function merkleRoot(hashes: readonly Buffer[]): Buffer {
  const [first] = hashes;
  if (first === undefined) throw new RangeError("a Merkle tree has at least one leaf");
  // Pairing from the left and carrying the odd one up gives the same tree as the recursive definition.
  let level = hashes;
  while (level.length > 1) {
    const above: Buffer[] = [];
    for (let at = 0; at < level.length; at += 2) {
      const left = level[at] as Buffer;
      const right = level[at + 1];
      above.push(right === undefined ? left : nodeHash(left, right));
    }
    level = above;
  }
  return level[0] as Buffer;
}

/** The hashes that lead from one leaf to the root, from the bottom up; the sides follow from the leaf's number. */
export function merklePath(hashes: readonly Buffer[], leafNo: number): Buffer[] {
  if (!(leafNo in hashes)) throw new RangeError(`no leaf ${leafNo} among ${hashes.length}`);
  const path: Buffer[] = [];
  let level = hashes;
  for (let at = leafNo; level.length > 1; at >>= 1) {
    const beside = level[at ^ 1];
    if (beside !== undefined) path.push(beside);
    const below = level;
    level = Array.from({ length: Math.ceil(below.length / 2) }, (_, pair) =>
      merkleRoot(below.slice(pair * 2, pair * 2 + 2)),
    );
  }
  return path;
}

/** The root that a leaf and its path lead to; null when the path is not as long as that place in the tree needs it. */
export function rootOfPath(leaf: Buffer, leafNo: number, leaves: number, path: readonly Buffer[]): Buffer | null {
  const rest = [...path];
  let hash = leaf;
  let at = leafNo;
  for (let size = leaves; size > 1; size = Math.ceil(size / 2)) {
    if ((at ^ 1) < size) {
      const beside = rest.shift();
      if (beside === undefined) return null;
      hash = at % 2 === 0 ? nodeHash(hash, beside) : nodeHash(beside, hash);
    }
    at >>= 1;
  }
  return rest.length === 0 && leafNo < leaves ? hash : null;
}

/** Leaf hashes as they are stored: 32 bytes each, one behind the other. */
export function splitHashes(stored: Buffer): Buffer[] {
  return Array.from({ length: stored.length / 32 }, (_, at) => stored.subarray(at * 32, at * 32 + 32));
}
