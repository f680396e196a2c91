import { run } from "../fuzz/program";
import { runAudit } from "./audit";
import { runFull } from "./full";
import { runGrowth } from "./growth";
import { readOptions } from "./options";
import { PROFILE_SETTINGS, runProfile } from "./profile";
import { startProgress } from "./progress";
import { runRecon } from "./recon";
import { reportOf } from "./report";
import { onStage } from "./stage";

run(async () => {
  const options = readOptions();
  if (options === null) return 0;
  const { roleSettings, sqlFile, hostSettings } = options;
  const progress = startProgress();
  try {
    if (
      options.mode === "profile" ||
      options.mode === "growth" ||
      options.mode === "recon" ||
      options.mode === "audit"
    ) {
      const modes = {
        profile: [PROFILE_SETTINGS, runProfile],
        growth: [{}, runGrowth],
        recon: [{}, runRecon],
        audit: [{ max_wal_size: "8GB" }, runAudit],
      } as const;
      const [settings, work] = modes[options.mode];
      const found = await onStage(
        { settings, roleSettings, sqlFile, hostSettings, say: progress.say },
        (stage): Promise<{ readonly report: string; readonly faults: readonly string[] }> => work(stage, options),
      );
      console.log(options.isJson ? JSON.stringify(found) : found.report);
      for (const fault of found.faults) console.error(fault);
      return found.faults.length === 0 ? 0 : 1;
    }
    const result = await onStage({ settings: {}, roleSettings, sqlFile, hostSettings, say: progress.say }, (stage) =>
      runFull(stage, options),
    );
    console.log(options.isJson ? JSON.stringify(result) : reportOf(result, options));
    for (const fault of result.faults) console.error(fault);
    return result.faults.length === 0 ? 0 : 1;
  } finally {
    progress.stop();
  }
});
