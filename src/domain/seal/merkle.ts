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

/** One step from a leaf to the root: the hash beside, and on which side it stands. */
export interface PathStep {
  readonly side: "left" | "right";
  readonly hash: Buffer;
}

/** The hashes that lead from one leaf to the root, from the bottom up. */
export function merklePath(hashes: readonly Buffer[], leafNo: number): PathStep[] {
  if (!(leafNo in hashes)) throw new RangeError(`no leaf ${leafNo} among ${hashes.length}`);
  const path: PathStep[] = [];
  let level = hashes;
  let at = leafNo;
  while (level.length > 1) {
    const beside = level[at ^ 1];
    if (beside !== undefined) path.push({ side: at % 2 === 0 ? "right" : "left", hash: beside });
    const above: Buffer[] = [];
    for (let left = 0; left < level.length; left += 2) {
      above.push(merkleRoot(level.slice(left, left + 2)));
    }
    level = above;
    at >>= 1;
  }
  return path;
}

/** The root that a leaf and its path lead to. */
export function rootOfPath(leaf: Buffer, path: readonly PathStep[]): Buffer {
  return path.reduce(
    (hash, step) => (step.side === "left" ? nodeHash(step.hash, hash) : nodeHash(hash, step.hash)),
    leaf,
  );
}

/** Leaf hashes as they are stored: 32 bytes each, one behind the other. */
export function splitHashes(stored: Buffer): Buffer[] {
  return Array.from({ length: stored.length / 32 }, (_, at) => stored.subarray(at * 32, at * 32 + 32));
}
