import { readFileSync } from "node:fs";
import { InvalidArgumentError } from "commander";
import { ConfigFault, Fault, messageOf } from "../platform";

/** An option's parser that takes whole numbers in a range. */
export function whole(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^[0-9]{1,9}$/.test(text) ? Number(text) : -1;
    if (value < min || value > max) throw new InvalidArgumentError(`must be a whole number from ${min} to ${max}`);
    return value;
  };
}

/** An address to be known under, without a slash at its end; null when none was given. */
export function publicUrlFrom(text: string | undefined): string | null {
  if (text === undefined) return null;
  if (!/^https?:\/\/[^@]*$/.test(text)) throw new ConfigFault("--public-url", ["must be an http or https address"]);
  return text.replace(/\/+$/, "");
}

/** One line of a file, or of standard input when it is named `-`. */
export function secretFrom(file: string): string {
  const text = readText(file === "-" ? 0 : file, file).replace(/\r?\n$/, "");
  if (text === "") throw new Fault("no_password", `${file} is empty`);
  return text;
}

/** A file as text; 0 is standard input. @throws Fault `unreadable` */
export function readText(from: string | number, name: string): string {
  try {
    return readFileSync(from, "utf8");
  } catch (error) {
    throw new Fault("unreadable", `${name} cannot be read: ${messageOf(error)}`, { cause: error });
  }
}
