import { openBillWatch, type Watcher } from "../../../src/flows";
import { type Db, systemClock } from "../../../src/platform";

/** A database that answers looks with these versions, and counts them. */
function fakeDb(versions: Map<string, number>): { db: Db; looks: string[][]; faults: { next: boolean } } {
  const looks: string[][] = [];
  const faults = { next: false };
  const run = (_deadline: unknown, _statement: unknown, [codes]: [string[]]) => {
    looks.push(codes);
    if (faults.next) return Promise.reject(new Error("away"));
    return Promise.resolve(
      codes.flatMap((link_code) =>
        versions.has(link_code)
          ? [
              {
                ...{ link_code, product_code: "900001", version: versions.get(link_code) },
                ...{ is_cancelled: false, total_amount: 10n, paid_amount: 0n, due_at_ms: null },
              },
            ]
          : [],
      ),
    );
  };
  return { db: { run } as unknown as Db, looks, faults };
}

const catalog = { current: { partners: new Map(), products: new Map(), merchants: undefined as never } };

function watcher(): Watcher & { readonly tags: string[]; ends: number } {
  const seen = { tags: [] as string[], ends: 0 };
  return Object.assign(seen, { onTag: (tag: string) => void seen.tags.push(tag), onEnd: () => void (seen.ends += 1) });
}

describe("the watch over open pages", () => {
  beforeEach(() => void jest.useFakeTimers({ doNotFake: ["performance"] }));
  afterEach(() => void jest.useRealTimers());

  const open = (versions: Map<string, number>, watchersMax = 100) => {
    const { db, looks, faults } = fakeDb(versions);
    const noted: unknown[] = [];
    const deps = { db, clock: systemClock, catalog, watchersMax, onFault: (fault: unknown) => void noted.push(fault) };
    return { watch: openBillWatch(deps), looks, faults, noted };
  };

  it("asks once for all bills, tells each page what is new for it, and asks nothing when nobody looks", async () => {
    const versions = new Map([
      ["a", 1],
      ["b", 1],
    ]);
    const { watch, looks } = open(versions);
    await jest.advanceTimersByTimeAsync(10_000);
    expect(looks).toEqual([]);
    const [first, second, other] = [watcher(), watcher(), watcher()];
    const stops = [watch.watch("a", first), watch.watch("a", second), watch.watch("b", other)];
    await jest.advanceTimersByTimeAsync(2_000);
    expect(looks).toEqual([["a", "b"]]);
    versions.set("a", 2);
    await jest.advanceTimersByTimeAsync(4_000);
    expect([first.tags, second.tags, other.tags]).toEqual([
      ["1.UNPAID", "2.UNPAID"],
      ["1.UNPAID", "2.UNPAID"],
      ["1.UNPAID"],
    ]);
    const late = watcher();
    stops.push(watch.watch("a", late));
    expect(late.tags).toEqual(["2.UNPAID"]);
    expect(watch.watching).toBe(4);
    for (const stop of [...stops, ...stops]) stop?.();
    expect(watch.watching).toBe(0);
    const before = looks.length;
    await jest.advanceTimersByTimeAsync(10_000);
    expect(looks.length - before).toBeLessThanOrEqual(1);
  });

  it("goes on after a look that failed, more slowly", async () => {
    const { watch, looks, faults, noted } = open(new Map([["a", 1]]));
    const page = watcher();
    watch.watch("a", page);
    faults.next = true;
    await jest.advanceTimersByTimeAsync(6_900);
    expect([looks.length, noted.length, page.tags]).toEqual([1, 1, []]);
    faults.next = false;
    await jest.advanceTimersByTimeAsync(200);
    expect(page.tags).toEqual(["1.UNPAID"]);
  });

  it("looks at once when hurried, however often, and only for bills that somebody watches", async () => {
    const { watch, looks } = open(new Map([["a", 1]]));
    watch.watch("a", watcher());
    watch.hurry("b");
    await jest.advanceTimersByTimeAsync(100);
    expect(looks).toHaveLength(0);
    for (let count = 0; count < 50; count += 1) watch.hurry("a");
    await jest.advanceTimersByTimeAsync(100);
    expect(looks.length).toBeLessThanOrEqual(2);
    expect(looks.length).toBeGreaterThanOrEqual(1);
  });

  it("is bounded, for one bill and for all, and takes nobody after its end", () => {
    const { watch } = open(new Map(), 30);
    const ofOne = Array.from({ length: 25 }, () => watch.watch("a", watcher()));
    expect(ofOne.filter((stop) => stop === null)).toHaveLength(5);
    const pages = Array.from({ length: 15 }, watcher);
    const others = pages.map((page, at) => watch.watch(`b${at}`, page));
    expect(others.filter((stop) => stop === null)).toHaveLength(5);
    watch.close();
    expect(pages.map(({ ends }) => ends)).toEqual([...Array(10).fill(1), ...Array(5).fill(0)] as number[]);
    expect([watch.watching, watch.watch("c", watcher())]).toEqual([0, null]);
    for (const stop of [...ofOne, ...others]) stop?.();
    expect(watch.watching).toBe(0);
  });
});
