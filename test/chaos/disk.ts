import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { sleep } from "../../src/platform";
import { Chance } from "../fuzz/random";
import type { Violation } from "./check";
import { type Exchange, isDefinite } from "./history";
import { startPostgres } from "./servers";
import type { Stage } from "./stage";
import { storm } from "./storms";
import { migrate, openWorld } from "./world";

/** What a full disk came to, or why there was none. */
export type DiskOutcome =
  | { readonly kind: "not tried"; readonly why: string }
  | {
      readonly kind: "tried";
      readonly violations: readonly Violation[];
      readonly exchanges: readonly Exchange[];
      /** Payments with a definite answer while nothing could be written, and without one. */
      readonly answered: number;
      readonly unanswered: number;
      /** Whether PostgreSQL itself ended, as it does when its log cannot be written. */
      readonly ended: boolean;
    };

const DISK = "320m";
/** What is left when the disk counts as full, bytes: less than one segment of PostgreSQL's log needs. */
const REST = 64 * 1024;

/** Storms while the disk of PostgreSQL, a tmpfs of its own, is full; room again, and then the checks. */
export async function runFullDisk(stage: Stage): Promise<DiskOutcome> {
  const mountPoint = join(stage.dir, "small-disk");
  mkdirSync(mountPoint);
  const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${DISK},mode=755`, "tmpfs", mountPoint], {
    encoding: "utf8",
  });
  if (mounted.status !== 0) return { kind: "not tried", why: (mounted.stderr || String(mounted.error)).trim() };
  try {
    const postgres = await startPostgres(join(mountPoint, "postgres"));
    try {
      if ((await migrate(stage.build, postgres.urls.ownerUrl)) !== 0) throw new Error("not migrated");
      const world = await openWorld({
        ...stage,
        servers: { ...stage.servers, postgres },
        bills: 300,
        deadlineMs: 1_500,
      });
      try {
        for (let n = 0; n < 2; n++) await world.start(await world.addPlace());
        const chance = new Chance(13);
        const kinds = ["same", "rivals", "declines", "reversals"] as const;
        await Promise.all(kinds.map((kind) => storm(world, chance, kind)));
        const before = world.history.exchanges.length;
        const ballast = fillUp(mountPoint);
        for (let n = 0; n < 6; n++) {
          await Promise.all(kinds.map((kind) => storm(world, chance, kind, 3)));
          // First its data cannot grow, which refuses statements; then its log cannot, which ends the server.
          if (n >= 2) await world.query(`select pg_switch_wal()`).catch(() => {});
        }
        const during = world.history.exchanges.slice(before);
        const ended = !postgres.isUp();
        rmSync(ballast);
        await sleep(200);
        await world.heal();
        await world.settle(15_000);
        const answered = during.filter(({ reply }) => isDefinite(reply)).length;
        const violations = await world.check();
        const { exchanges } = world.history;
        return { kind: "tried", violations, exchanges, answered, unanswered: during.length - answered, ended };
      } finally {
        await world.close();
      }
    } finally {
      await postgres.stop();
    }
  } finally {
    spawnSync("umount", [mountPoint]);
  }
}

function fillUp(mountPoint: string): string {
  const ballast = join(mountPoint, "ballast");
  writeFileSync(ballast, "");
  const piece = Buffer.alloc(32 * 1024);
  for (;;) {
    const { bavail, bsize } = statfsSync(mountPoint);
    if (bavail * bsize <= REST) return ballast;
    writeFileSync(ballast, piece, { flag: "a" });
  }
}
