import { readFileSync } from "node:fs";
import { parseSettlementProfile, type SettlementProfile } from "../domain";
import { ConfigFault, Fault, messageOf } from "../platform";
import { parseStrictJson } from "../wire";

const LIMITS = { maxDepth: 20, maxBytes: 1 << 20 };

/**
 * A profile out of a JSON file. A setting that the file names twice is refused, as only one of the two would count.
 *
 * @throws Fault when the file is no JSON object; ConfigFault naming everything that is wrong with the profile
 */
export function readProfileFile(file: string): {
  readonly definition: Readonly<Record<string, unknown>>;
  readonly profile: SettlementProfile;
} {
  const json = parseStrictJson(textOf(file), LIMITS);
  if (!json.ok) throw new Fault("profile_file", `${file} cannot be read as JSON: ${json.detail}`);
  const parsed = parseSettlementProfile(json.value);
  if (!parsed.ok) throw new ConfigFault(`${file} is no settlement profile`, parsed.faults);
  return { definition: json.value, profile: parsed.profile };
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new Fault("profile_file", `${file} cannot be read: ${messageOf(error)}`, { cause: error });
  }
}
