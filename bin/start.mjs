// `npm start`: everything that is missing, then `biller serve`.
import { createRequire } from "node:module";
import { build, install } from "./prepare.mjs";

install();
build();
const { main } = createRequire(import.meta.url)("../dist/src/cli/index.js");
process.exitCode = await main(["serve", ...process.argv.slice(2)]);
