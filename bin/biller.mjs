#!/usr/bin/env node
// The command line `biller`.
import { createRequire } from "node:module";
import { build, install } from "./prepare.mjs";

install();
build();
const { main } = createRequire(import.meta.url)("../dist/src/cli/index.js");
process.exitCode = await main(process.argv.slice(2));
