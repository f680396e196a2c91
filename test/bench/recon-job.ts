import { importSettlementFile, runReconciliation } from "../../src/ops";

/** One file to import and reconcile, as the one argument of this program. */
export interface ReconJob {
  readonly databaseUrl: string;
  readonly profileCode: string;
  readonly path: string;
  readonly date: string;
}

/** What that has cost, on standard output. Seconds; counts by class. */
export interface ReconJobResult {
  readonly import: number;
  readonly run: number;
  readonly cpuSeconds: number;
  readonly peakRssMiB: number;
  readonly found: Readonly<Record<string, number>>;
}

async function work({ databaseUrl, profileCode, path, date }: ReconJob): Promise<ReconJobResult> {
  const request = { databaseUrl, profileCode, by: "bench (test)" as const };
  const cpuBefore = process.cpuUsage();
  const startedMs = performance.now();
  await importSettlementFile({ ...request, path, date, mayReplace: false, acceptsTotals: false });
  const importedMs = performance.now();
  const { summary } = await runReconciliation({
    ...{ ...request, settlementDate: date, isDryRun: false, redecidesDeclared: false },
  });
  const endedMs = performance.now();
  const { user, system } = process.cpuUsage(cpuBefore);
  return {
    ...{ import: (importedMs - startedMs) / 1_000, run: (endedMs - importedMs) / 1_000 },
    ...{ cpuSeconds: (user + system) / 1e6, peakRssMiB: Math.round(process.resourceUsage().maxRSS / 1_024) },
    found: {
      ...Object.fromEntries(summary.findings.map((each) => [each.class, each.count])),
      matched: summary.matched,
    },
  };
}

void work(JSON.parse(process.argv[2] ?? "") as ReconJob).then((result) => process.stdout.write(JSON.stringify(result)));
