import { countSeeds } from "../simulation/many";
import KNOWN_SEEDS from "../simulation/seeds.json";
import { simulate } from "../simulation/simulate";
import type { BrokenGuarantee } from "../simulation/store";

/** The short form of `npm run simulate:posting`. */
const SEEDS = 1_500;

function* seedsFrom(first: number, count: number): Generator<number> {
  for (let seed = first; seed < first + count; seed += 1) yield seed;
}

describe("the posting path in a simulated world", () => {
  it("keeps all laws with the seeds that broke one before", async () => {
    const { failures } = await countSeeds(KNOWN_SEEDS, {}, () => {});
    expect(failures).toEqual([]);
  });

  it(`keeps all laws in ${SEEDS} worlds`, async () => {
    const { failures, counts, faults } = await countSeeds(seedsFrom(1, SEEDS), {}, () => {});
    expect(failures).toEqual([]);
    // And it was no idle run.
    expect(new Map(counts).get("answers: APPROVED")).toBeGreaterThan(SEEDS);
    expect(new Map(counts).get("crashes")).toBeGreaterThan(SEEDS / 10);
    expect(faults.length).toBeGreaterThan(20);
  });

  it("goes the same way again with the same seed", async () => {
    for (const seed of [3, 77, 1_234]) {
      const first: string[] = [];
      const second: string[] = [];
      const [one, other] = [
        await simulate(seed, { trace: (line) => first.push(line) }),
        await simulate(seed, { trace: (line) => second.push(line) }),
      ];
      expect(second).toEqual(first);
      expect(other.digest).toBe(one.digest);
    }
  });

  it("gives timers, chance and clocks back", async () => {
    const before = [setTimeout, clearTimeout, setImmediate, Math.random, Date.now];
    await simulate(1);
    expect([setTimeout, clearTimeout, setImmediate, Math.random, Date.now]).toEqual(before);
  });

  it.each<BrokenGuarantee>([
    "unique-key-misses-uncommitted",
    "claim-ignores-version",
    "dirty-reads",
    "commit-loses-bills",
  ])("notices a store with a broken guarantee: %s", async (broken) => {
    let noticedBy: number | null = null;
    for (const seed of seedsFrom(1, 1_000)) {
      const { violations } = await simulate(seed, { broken });
      if (violations.length === 0) continue;
      noticedBy = seed;
      break;
    }
    expect(noticedBy).not.toBeNull();
  });
});
