import { z } from "zod";
import { laidOver } from "./laid-over";
import { nameContradictions } from "./settlement-contradictions";
import { layoutSchema, type SettlementProfile } from "./settlement-layout";
import { SETTLEMENT_PRESETS, type SettlementPreset } from "./settlement-presets";
import { type MatchRule, matchRulesSchema } from "./settlement-rules";

/** How a kind of settlement file is laid out, and how its lines are matched. */
export const settlementProfileSchema = layoutSchema.superRefine((profile, context) =>
  nameContradictions(profile, (path, message) => {
    context.addIssue({ code: "custom", path: path.split("."), message });
  }),
);

/** What reading a profile gives: the profile, or everything that is wrong with it, each with its path. */
export type ParsedProfile =
  | { readonly ok: true; readonly profile: SettlementProfile }
  | { readonly ok: false; readonly faults: readonly string[] };

/** Reads a profile as it is stored: an object that may name a preset, and holds what differs from it. */
export function parseSettlementProfile(given: unknown): ParsedProfile {
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    return { ok: false, faults: ["a profile must be an object"] };
  }
  const unstorable = unstorableIn(given);
  if (unstorable !== null) return { ok: false, faults: [unstorable] };
  const { preset, $schema: _schema, ...own } = given as Record<string, unknown>;
  if (preset !== undefined && (typeof preset !== "string" || !Object.hasOwn(SETTLEMENT_PRESETS, preset))) {
    return { ok: false, faults: [`preset: must be one of ${Object.keys(SETTLEMENT_PRESETS).join(", ")}`] };
  }
  const base = preset === undefined ? {} : SETTLEMENT_PRESETS[preset as SettlementPreset];
  const parsed = settlementProfileSchema.safeParse(laidOver(base, own));
  return parsed.success ? { ok: true, profile: parsed.data } : { ok: false, faults: faultsOf(parsed.error) };
}

const DEPTH_MAX = 20;

/** What a database cannot keep as JSON, or nobody writes: NUL, half of a character, nesting without end; null: nothing. */
function unstorableIn(given: unknown): string | null {
  let level: readonly (readonly [path: string, value: unknown])[] = [["", given]];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > DEPTH_MAX) return `(top): is nested deeper than ${DEPTH_MAX}`;
    const next: (readonly [path: string, value: unknown])[] = [];
    for (const [path, value] of level) {
      if (typeof value === "string" && isUnstorable(value)) return `${path}: holds NUL or half of a character`;
      if (typeof value !== "object" || value === null) continue;
      for (const [key, each] of Object.entries(value)) {
        if (isUnstorable(key)) return `${path || "(top)"}: the name of a setting holds NUL or half of a character`;
        // Names that are no settings may be of any length.
        next.push([`${path === "" ? "" : `${path}.`}${key}`.slice(0, 100), each]);
      }
    }
    level = next;
  }
  return null;
}

function isUnstorable(text: string): boolean {
  return text.includes("\u0000") || /\p{Cs}/u.test(text);
}

/** Reads a list of rules, as `recon run --rules` gets it. */
export function parseMatchRules(
  given: unknown,
):
  | { readonly ok: true; readonly rules: readonly MatchRule[] }
  | { readonly ok: false; readonly faults: readonly string[] } {
  const parsed = matchRulesSchema.safeParse(given);
  return parsed.success ? { ok: true, rules: parsed.data } : { ok: false, faults: faultsOf(parsed.error) };
}

function faultsOf(error: z.ZodError): string[] {
  return error.issues.map((issue) => `${issue.path.join(".") || "(top)"}: ${issue.message}`);
}

/** JSON Schema of a profile as it is written in a file, for editors and for people. */
export function settlementProfileJsonSchema(): Record<string, unknown> {
  const own = z.toJSONSchema(settlementProfileSchema, { io: "input" });
  const preset = { type: "string", enum: Object.keys(SETTLEMENT_PRESETS) };
  // With a preset nothing else is required but the partner.
  const { required: _required, ...rest } = own;
  return {
    ...rest,
    title: "Settlement profile",
    properties: { $schema: { type: "string" }, preset, ...(own.properties as Record<string, unknown>) },
    required: ["partner"],
  };
}
