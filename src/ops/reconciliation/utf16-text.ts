import { Fault } from "../../platform";

/** UTF-16 by its byte order: `utf-16` is told by the byte order mark. */
export type Utf16 = "utf-16" | "utf-16le" | "utf-16be";

/** What stands for half of a pair of surrogates, which has no form in UTF-8: a byte that UTF-8 never has. */
const NO_CHARACTER = Buffer.from([0xff]);
const MARKS = { "utf-16le": [0xff, 0xfe], "utf-16be": [0xfe, 0xff] } as const;

/**
 * UTF-16 as UTF-8, its byte order mark as that of UTF-8. Half of a pair of surrogates becomes a byte that UTF-8 never has.
 *
 * @throws Fault when there is no byte order mark and it is needed, when it is another one, or when half of a unit is left
 */
export async function* utf8Of(chunks: AsyncIterable<Buffer>, encoding: Utf16): AsyncGenerator<Buffer, void> {
  let rest: Buffer = Buffer.alloc(0);
  let order: "utf-16le" | "utf-16be" | null = null;
  for await (const chunk of chunks) {
    const bytes: Buffer = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    if (bytes.length < 2) {
      rest = bytes;
      continue;
    }
    order ??= orderOf(bytes, encoding);
    const { whole, left } = cutUnits(bytes, order);
    rest = left;
    if (whole.length > 0) yield utf8Text(whole, order);
  }
  if (rest.length === 1 || rest.length === 3)
    throw new Fault(
      "settlement_file",
      "the file has an odd number of bytes, and UTF-16 two for each unit: it is cut off",
    );
  if (rest.length > 0 && order !== null) yield utf8Text(rest, order);
}

function orderOf(bytes: Buffer, encoding: Utf16): "utf-16le" | "utf-16be" {
  const marked = (["utf-16le", "utf-16be"] as const).find((each) =>
    MARKS[each].every((byte, index) => bytes[index] === byte),
  );
  if (encoding === "utf-16") {
    if (marked !== undefined) return marked;
    const advice = "its profile can say utf-16le or utf-16be, or another encoding";
    throw new Fault("settlement_file", `the file has no byte order mark of UTF-16: ${advice}`);
  }
  if (marked === undefined || marked === encoding) return encoding;
  throw new Fault(
    "settlement_file",
    `the file begins with the byte order mark of ${marked}; its profile says ${encoding}`,
  );
}

/** Whole units, and what must wait for more: an odd byte, and the first half of a pair. */
function cutUnits(bytes: Buffer, order: "utf-16le" | "utf-16be"): { readonly whole: Buffer; readonly left: Buffer } {
  let end = bytes.length - (bytes.length % 2);
  const high = bytes[order === "utf-16le" ? end - 1 : end - 2] as number;
  if (high >= 0xd8 && high <= 0xdb) end -= 2;
  return { whole: bytes.subarray(0, end), left: bytes.subarray(end) };
}

function utf8Text(units: Buffer, order: "utf-16le" | "utf-16be"): Buffer {
  const text = (order === "utf-16le" ? units : Buffer.from(units).swap16()).toString("utf16le");
  // With the flag u only halves without their other half match.
  if (!/\p{Cs}/u.test(text)) return Buffer.from(text);
  return Buffer.concat(
    text.split(/(\p{Cs})/u).map((piece) => (/^\p{Cs}$/u.test(piece) ? NO_CHARACTER : Buffer.from(piece))),
  );
}
