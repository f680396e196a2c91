import { createSecretBox, Fault, type SealedSecret } from "../../../src/platform";

const OLD = ["old", Buffer.alloc(32, 1)] as const;
const NEW = ["new", Buffer.alloc(32, 2)] as const;
const box = createSecretBox([OLD]);

/** Everything of a sealed secret with one bit of one of its parts turned over. */
function* flipped(sealed: SealedSecret): Generator<SealedSecret> {
  for (const part of ["nonce", "ciphertext"] as const) {
    for (let bit = 0; bit < sealed[part].length * 8; bit += 1) {
      const copy = Buffer.from(sealed[part]);
      copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      yield { ...sealed, [part]: copy };
    }
  }
}

function codeOf(work: () => unknown): string {
  try {
    work();
    return "opened";
  } catch (fault) {
    return fault instanceof Fault ? fault.code : "no fault of ours";
  }
}

describe("a sealed secret", () => {
  it.each(["demo-password", "", " ", "rahasia €🔑", "x".repeat(10_000)])(
    "opens to what was sealed: %#",
    (plaintext) => {
      const sealed = box.seal(plaintext, "partner 1");
      expect(box.open(sealed, "partner 1")).toBe(plaintext);
      expect(sealed.keyId).toBe("old");
      expect(sealed.nonce).toHaveLength(12);
      expect(sealed.ciphertext).toHaveLength(Buffer.byteLength(plaintext) + 16);
    },
  );

  it("does not open with any one bit altered", () => {
    const sealed = box.seal("demo-password", "partner 1");
    const answers = [...flipped(sealed)].map((each) => codeOf(() => box.open(each, "partner 1")));
    expect(answers).toHaveLength((12 + 13 + 16) * 8);
    expect(new Set(answers)).toEqual(new Set(["secret_unreadable"]));
  });

  it("does not open in another row, nor with parts of another", () => {
    const one = box.seal("one", "partner 1");
    const two = box.seal("two", "partner 2");
    expect(codeOf(() => box.open(one, "partner 2"))).toBe("secret_unreadable");
    expect(codeOf(() => box.open(one, "partner 1 "))).toBe("secret_unreadable");
    expect(codeOf(() => box.open({ ...one, nonce: two.nonce }, "partner 1"))).toBe("secret_unreadable");
    expect(codeOf(() => box.open({ ...one, ciphertext: two.ciphertext }, "partner 1"))).toBe("secret_unreadable");
  });

  it("does not open with its end or beginning missing, however little is left", () => {
    const sealed = box.seal("demo-password", "partner 1");
    const { ciphertext, nonce } = sealed;
    for (let length = 0; length < ciphertext.length; length += 1) {
      const ends = [ciphertext.subarray(0, length), ciphertext.subarray(ciphertext.length - length)];
      for (const cut of ends) {
        expect(codeOf(() => box.open({ ...sealed, ciphertext: cut }, "partner 1"))).toBe("secret_unreadable");
      }
    }
    for (const wrong of [nonce.subarray(1), Buffer.concat([nonce, Buffer.alloc(1)]), Buffer.alloc(0)]) {
      expect(codeOf(() => box.open({ ...sealed, nonce: wrong }, "partner 1"))).toBe("secret_unreadable");
    }
  });

  it("does not open under another key, be it under the same id or relabelled", () => {
    const sealed = box.seal("demo-password", "partner 1");
    const impostor = createSecretBox([["old", Buffer.alloc(32, 9)]]);
    expect(codeOf(() => impostor.open(sealed, "partner 1"))).toBe("secret_unreadable");
    const both = createSecretBox([NEW, OLD]);
    expect(codeOf(() => both.open({ ...sealed, keyId: "new" }, "partner 1"))).toBe("secret_unreadable");
    const sameKeyOtherId = createSecretBox([OLD, ["alias", OLD[1]]]);
    expect(codeOf(() => sameKeyOtherId.open({ ...sealed, keyId: "alias" }, "partner 1"))).toBe("secret_unreadable");
  });

  it("names a key id that is not configured, and never the secret", () => {
    const sealed = createSecretBox([NEW]).seal("demo-password", "partner 1");
    expect(() => box.open(sealed, "partner 1")).toThrow(/key id "new".*not configured/);
    expect(() => box.open({ ...sealed, keyId: "old" }, "partner 1")).toThrow(/partner 1 does not open/);
  });
});

describe("a ring of keys", () => {
  it("seals under its first key and opens under all of them, so that keys can be rotated", () => {
    const before = box.seal("demo-password", "partner 1");
    const rotated = createSecretBox([NEW, OLD]);
    expect(rotated.activeKeyId).toBe("new");
    expect(rotated.open(before, "partner 1")).toBe("demo-password");
    const after = rotated.seal("demo-password", "partner 1");
    expect(after.keyId).toBe("new");
    expect(createSecretBox([NEW]).open(after, "partner 1")).toBe("demo-password");
    expect(codeOf(() => box.open(after, "partner 1"))).toBe("secret_unreadable");
  });

  it("that is empty is refused", () => {
    expect(() => createSecretBox([])).toThrow(Fault);
  });

  it("never uses a nonce twice and never gives the same ciphertext twice", () => {
    const sealed = Array.from({ length: 10_000 }, () => box.seal("same", "same"));
    expect(new Set(sealed.map(({ nonce }) => nonce.toString("hex"))).size).toBe(10_000);
    expect(new Set(sealed.map(({ ciphertext }) => ciphertext.toString("hex"))).size).toBe(10_000);
  });
});
