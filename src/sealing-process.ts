import { configFromProcess, Fault, messageOf, standBack } from "./platform";
import type { FromSealing, ToSealing } from "./sealing-messages";
import { openSealing, type Sealing } from "./sealing";

// A process beside the one that answers the switch, started by `keepSealing`. It ends with it.

const LAG_EVERY_MS = 1_000;
const tell = (message: FromSealing): void => void process.send?.(message);
let sealing: Sealing | null = null;
let isStopping = false;

function start({ services }: Extract<ToSealing, { kind: "start" }>): void {
  const opened = openSealing({
    config: configFromProcess(),
    services,
    isRunning: true,
    onBlock: ({ blockNo, leaves }) => tell({ kind: "sealed", blockNo, leaves }),
    onClockSetBack: (seconds) => tell({ kind: "clock set back", seconds }),
    onFault: (fault, where) =>
      tell({ kind: "fault", where, code: fault instanceof Fault ? fault.code : null, message: messageOf(fault) }),
  });
  sealing = opened;
  setInterval(() => tell({ kind: "lag", seconds: opened.sealer.lagSeconds }), LAG_EVERY_MS);
}

async function stop(): Promise<void> {
  if (isStopping) return;
  isStopping = true;
  await sealing?.close();
  process.exit(0);
}

process.on("message", (message: ToSealing) => {
  if (message.kind === "start") start(message);
  else void stop();
});
process.on("disconnect", () => void stop());
standBack();
