import { spawn } from "node:child_process";

const OPENERS: Readonly<Record<string, readonly [program: string, ...args: string[]]>> = {
  darwin: ["open"],
  win32: ["cmd", "/c", "start", ""],
};

/** Opens an address in this machine's browser, if it has one; says so when it has none. */
export function openInBrowser(url: string, say: (line: string) => void): void {
  const [program, ...args] = OPENERS[process.platform] ?? ["xdg-open"];
  const opener = spawn(program, [...args, url], { stdio: "ignore", detached: true });
  opener.once("error", () => say(`no browser could be opened here (${program} is missing): open ${url} yourself`));
  opener.once("exit", (code) => {
    if (code !== 0 && code !== null) say(`no browser could be opened here: open ${url} yourself`);
  });
  opener.unref();
}
