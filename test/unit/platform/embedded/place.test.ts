import { lstatSync, mkdirSync, mkdtempSync, readlinkSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { placeData } from "../../../../src/platform/embedded/place";

const root = realpathSync(mkdtempSync(join(tmpdir(), "place-")));
const shared = join(root, "shared");
const log: string[] = [];
const place = (dir: string) => placeData(dir, null, (line) => log.push(line), shared);

afterAll(() => rmSync(root, { recursive: true, force: true }));

describe("the place of the data, for a server that runs as ourselves", () => {
  it("is right there, its parent made where it is missing, the directory itself not", () => {
    const dir = join(root, "a", "b", "data");
    expect(place(dir)).toEqual({ dataDir: dir, copiesDir: dirname(dir) });
    expect(lstatSync(dirname(dir)).isDirectory()).toBe(true);
    expect(lstatSync(dir, { throwIfNoEntry: false })).toBeUndefined();
    expect(place(dir)).toEqual({ dataDir: dir, copiesDir: dirname(dir) });
    expect(log).toEqual([]);
  });

  it("is where a symlink leads, also to what does not exist yet", () => {
    const target = join(root, "elsewhere", "data");
    const link = join(root, "link");
    symlinkSync(target, link);
    expect(place(link)).toEqual({ dataDir: target, copiesDir: dirname(target) });
    expect(readlinkSync(link)).toBe(target);
  });

  it("has its programs copied to the shared place when the link leads there", () => {
    const target = join(shared, "0123", "abcd", "data");
    const link = join(root, "link-to-shared");
    symlinkSync(target, link);
    expect(place(link)).toEqual({ dataDir: target, copiesDir: shared });
  });

  it("has no symlinks in it, even when one stands above it", () => {
    mkdirSync(join(root, "real"));
    symlinkSync(join(root, "real"), join(root, "alias"));
    expect(place(join(root, "alias", "data")).dataDir).toBe(join(root, "real", "data"));
    expect(basename(place(join(root, "alias", "x", "..", "data")).copiesDir)).toBe("real");
  });
});
