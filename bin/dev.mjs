// `npm run dev`: serves from the sources and starts again whenever one of them changes.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { install, root } from "./prepare.mjs";

install();
const tsx = join(root, "node_modules", "tsx", "dist", "cli.mjs");
const child = spawn(
  process.execPath,
  [tsx, "watch", "--clear-screen=false", "--include=migrations/**", "src/main.ts"],
  {
    cwd: root,
    stdio: "inherit",
  },
);
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => child.kill(signal));
child.on("exit", (code, signal) => process.exit(signal === null ? (code ?? 1) : 0));
