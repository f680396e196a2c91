// `npm run dev`: serves from the sources and starts again whenever one of them changes. Each run is stopped as in
// production and waited for, so that the embedded servers never outlive it; that is why no general watcher is used.
import { spawn } from "node:child_process";
import { watch } from "node:fs";
import { join } from "node:path";
import { install, root } from "./prepare.mjs";

const QUIET_MS = 150;
let child = null;
let isStopping = false;
let timer = null;

function start() {
  child = spawn(process.execPath, ["--import", "tsx", "src/main.ts"], { cwd: root, stdio: "inherit", detached: true });
  child.once("exit", (code) => {
    child = null;
    if (isStopping) process.exit(code ?? 0);
    // Ended by itself, on a fault at start perhaps: the next change may mend it.
    else if (timer === null) process.stderr.write(`ended with ${code}; waiting for a change\n`);
  });
}

function restart() {
  if (child === null) {
    timer = null;
    start();
    return;
  }
  child.once("exit", () => {
    timer = null;
    if (!isStopping) start();
  });
  child.kill("SIGTERM");
}

install();
for (const directory of ["src", "migrations"]) {
  watch(join(root, directory), { recursive: true }, (_event, file) => {
    if (isStopping || timer !== null) return;
    process.stderr.write(`${join(directory, file ?? "")} changed\n`);
    timer = setTimeout(restart, QUIET_MS);
  });
}
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.on(signal, () => {
    isStopping = true;
    if (child === null) process.exit(0);
    child.kill("SIGTERM");
  });
}
start();
