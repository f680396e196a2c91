import { readFileSync } from "node:fs";
import { Fault, messageOf } from "../platform";

/** Reads a JSON file. @throws Fault with that code, telling what is wrong with it */
export function readJsonFile(file: string, faultCode: string): unknown {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw new Fault(faultCode, `${file} cannot be read as JSON: ${messageOf(error)}`, { cause: error });
  }
}
