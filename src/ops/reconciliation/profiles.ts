import { isDeepStrictEqual } from "node:util";
import { type ActorText, parseSettlementProfile, type SettlementProfile } from "../../domain";
import { Fault } from "../../platform";
import { recordOperatorAction } from "../../store";
import { type Session, txOf } from "./session";

/** A profile as it is stored, with the partner that it is about. */
export interface StoredProfile {
  readonly code: string;
  readonly version: number;
  /** As it was given: a preset, and what differs from it. */
  readonly definition: unknown;
  readonly profile: SettlementProfile;
  readonly partnerId: number;
}

/** The latest version of a profile. @throws Fault when there is none, or when it or its partner is no longer valid */
export async function readProfile({ run }: Session, code: string): Promise<StoredProfile> {
  const [row] = await run<{ version: number; definition: unknown }>(
    `select version, definition from settlement_profile where profile_code = $1 order by version desc limit 1`,
    [code],
  );
  if (row === undefined) throw new Fault("unknown_profile", `there is no settlement profile ${code}`);
  const parsed = parseSettlementProfile(row.definition);
  if (!parsed.ok) throw new Fault("settlement_profile", `profile ${code} is not valid: ${parsed.faults.join("; ")}`);
  const partnerId = await partnerOf({ run }, parsed.profile.partner);
  return { code, version: row.version, definition: row.definition, profile: parsed.profile, partnerId };
}

async function partnerOf({ run }: Pick<Session, "run">, userName: string): Promise<number> {
  const [partner] = await run<{ partner_id: number }>(`select partner_id from partner where user_name = $1`, [
    userName,
  ]);
  if (partner === undefined) throw new Fault("unknown_partner", `there is no partner with userName ${userName}`);
  return partner.partner_id;
}

/** A row of the list of profiles. */
export interface ProfileRow {
  readonly code: string;
  readonly version: number;
  readonly definition: unknown;
  readonly createdAt: Date;
  readonly files: number;
}

/** All profiles in their latest versions. */
export async function listProfiles({ run }: Session): Promise<ProfileRow[]> {
  return run<ProfileRow>(
    `select distinct on (p.profile_code) p.profile_code as code, p.version, p.definition, p.created_at as "createdAt",
            (select count(*)::int from settlement_file f where f.profile_code = p.profile_code) as files
       from settlement_profile p
      order by p.profile_code, p.version desc`,
  );
}

/**
 * Stores a profile as its next version; what is stored already is left alone.
 *
 * @param by who does it, written down as an operator action
 * @returns the version, and whether it is new
 */
export async function saveProfile(
  session: Session,
  code: string,
  definition: Readonly<Record<string, unknown>>,
  by: ActorText | null = null,
): Promise<{ readonly version: number; readonly isNew: boolean }> {
  const { run } = session;
  const parsed = parseSettlementProfile(definition);
  if (!parsed.ok) throw new Fault("settlement_profile", parsed.faults.join("; "));
  await partnerOf(session, parsed.profile.partner);
  const [last] = await run<{ version: number; definition: unknown }>(
    `select version, definition from settlement_profile where profile_code = $1 order by version desc limit 1`,
    [code],
  );
  if (last !== undefined && isDeepStrictEqual(last.definition, JSON.parse(JSON.stringify(definition)))) {
    return { version: last.version, isNew: false };
  }
  const version = (last?.version ?? 0) + 1;
  await run(`insert into settlement_profile (profile_code, version, definition) values ($1, $2, $3)`, [
    code,
    version,
    JSON.stringify(definition),
  ]);
  if (by !== null) {
    await recordOperatorAction(txOf(session), {
      ...{ actor: by, action: "settlement-profile.set", object: `settlement-profile:${code}` },
      ...{ after: definition, detail: `version ${version}` },
    });
  }
  return { version, isNew: true };
}
