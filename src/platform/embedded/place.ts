import { createHash, randomBytes } from "node:crypto";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  readlinkSync,
  rmdirSync,
  symlinkSync,
} from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { Fault } from "../faults";
import { type Account, canReach } from "./account";

/** Where data and copied programs go when the server's account cannot pass through to the checkout. */
export const SHARED_PLACE = "/var/lib/finpay-biller-host";

/** Where a cluster really is. */
export interface DataPlace {
  /** The data directory, without symlinks in it; it may not exist yet, its parent does. */
  readonly dataDir: string;
  /** A directory the server's account can pass through to, for a copy of the programs. */
  readonly copiesDir: string;
}

/**
 * Decides where the cluster of `dataDir` lives. Normally right there. If the account cannot pass through to it (a
 * checkout in a home of mode 700), a fresh directory under `sharedPlace` is used and `dataDir` becomes a symlink to it:
 * the link is the only thing that ties the two together, so that deleting the data directory means starting anew and
 * never brings back old books under new keys.
 */
export function placeData(
  dataDir: string,
  account: Account | null,
  log: (line: string) => void,
  sharedPlace = SHARED_PLACE,
): DataPlace {
  const wanted = resolve(dataDir);
  mkdirSync(dirname(wanted), { recursive: true, mode: 0o755 });
  const parent = realpathSync(dirname(wanted));
  const here = join(parent, basename(wanted));
  if (lstatSync(here, { throwIfNoEntry: false })?.isSymbolicLink()) {
    const target = resolve(parent, readlinkSync(here));
    mkdirSync(dirname(target), { recursive: true, mode: 0o755 });
    const real = join(realpathSync(dirname(target)), basename(target));
    return { dataDir: real, copiesDir: target.startsWith(`${sharedPlace}/`) ? sharedPlace : dirname(real) };
  }
  if (canReach(account, parent)) return { dataDir: here, copiesDir: parent };
  if (existsSync(here)) removeIfEmpty(here, account);
  return relocate(here, account, log, sharedPlace);
}

function removeIfEmpty(dir: string, account: Account | null): void {
  if (readdirSync(dir).length > 0) {
    throw new Fault(
      "data_dir_unreachable",
      `${dir} holds data, but the account that PostgreSQL runs under (${account?.name}) cannot pass through to it: ` +
        "give the directories above it o+x, or start as the user who owns the data",
    );
  }
  rmdirSync(dir);
}

function relocate(here: string, account: Account | null, log: (line: string) => void, sharedPlace: string): DataPlace {
  const ofThisCheckout = join(sharedPlace, createHash("sha256").update(here).digest("hex").slice(0, 16));
  const earlier = existsSync(ofThisCheckout);
  const target = join(ofThisCheckout, randomBytes(4).toString("hex"), basename(here));
  mkdirSync(dirname(target), { recursive: true, mode: 0o755 });
  if (!canReach(account, dirname(target))) {
    throw new Fault(
      "data_dir_unreachable",
      `the account that PostgreSQL runs under (${account?.name}) can pass through neither to ${here} nor to ` +
        `${dirname(target)}: set DATA_DIR to a directory it can reach, or DATABASE_URL`,
    );
  }
  try {
    symlinkSync(target, here);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    return placeData(here, account, log, sharedPlace);
  }
  log(
    `PostgreSQL runs as ${account?.name}, who cannot pass through to ${here}: its data is kept in ${target}` +
      (earlier ? ` (directories of earlier data directories are beside it)` : ""),
  );
  return { dataDir: realpathSync(dirname(target)) + "/" + basename(target), copiesDir: sharedPlace };
}
