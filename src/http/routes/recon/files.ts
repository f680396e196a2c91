import type Router from "@koa/router";
import type { Context } from "koa";
import { checkProfile, listProfiles, openTurns, readProfile, UPLOAD_FILTERS, withSpooledFile } from "../../../ops";
import { Fault } from "../../../platform";
import { AuditRefusal } from "../../middleware/audit-door";
import {
  answerJson,
  jsonObjectOf,
  parameterOf,
  questionOf,
  type ReconAsking,
  type ReconDoor,
  type ReconRouteDeps,
} from "../../middleware/recon-door";
import { answerPage, rowOf, rowRoute } from "./lists";

/** Where settlement files are sent to: the one address whose body may take minutes. */
export const UPLOAD_PATH = "/recon/v1/files";
/** Raised on the application with a socket and true when a body that may take long begins on it, and false when it ends. */
export const LONG_BODY = "long-body";

/** Times in milliseconds. */
const IDLE_MS = 30_000;
const TOTAL_MS = 3_600_000;
const LINGER_MS = 2_000;
/** Files that arrive at the same time, in one process and of one token. */
const UPLOADS_MAX = 4;
const UPLOADS_OF_TOKEN_MAX = 2;
const CONTENT_TYPES = ["application/octet-stream", "text/csv", "text/plain"];

/** Profiles, and files with their lines. */
export function fileRoutes(router: Router, deps: ReconRouteDeps, door: ReconDoor): void {
  router.get(
    "/recon/v1/profiles",
    door("recon:read", async (ctx, asking) => {
      questionOf(ctx, asking, {});
      const profiles = await deps.recon.look(listProfiles);
      asking.rowCount = profiles.length;
      answerJson(ctx, 200, { data: profiles });
    }),
  );
  router.post(
    "/recon/v1/profiles/check",
    door("recon:read", async (ctx, asking) => {
      questionOf(ctx, asking, {});
      answerJson(ctx, 200, checkProfile(await jsonObjectOf(ctx)));
    }),
  );
  router.get(
    "/recon/v1/profiles/:profile",
    door("recon:read", async (ctx, asking) => {
      questionOf(ctx, asking, {});
      const code = parameterOf(ctx, "profile", "profile");
      asking.filter = { profile: code };
      const { version, definition, profile } = await deps.recon.look((session) => readProfile(session, code));
      answerJson(ctx, 200, { code, version, stored: definition, profile });
    }),
  );
  router.put(
    "/recon/v1/profiles/:profile",
    door("recon:maker", async (ctx, asking) => {
      questionOf(ctx, asking, {});
      const code = parameterOf(ctx, "profile", "profile");
      asking.filter = { profile: code };
      const definition = await jsonObjectOf(ctx);
      const { isValid, problems } = checkProfile(definition);
      if (!isValid) throw new AuditRefusal(422, "the profile is not valid", [...problems], "settlement_profile");
      const { version, isNew } = await deps.recon.saveProfile(asking.actor, code, definition);
      answerJson(ctx, isNew ? 201 : 200, { code, version, isNew });
    }),
  );

  router.get(
    UPLOAD_PATH,
    door("recon:read", (ctx, asking) => answerPage(deps, "files", ctx, asking)),
  );
  rowRoute(router, deps, door, { name: "files", filter: "file", kind: "number" });
  router.get(
    `${UPLOAD_PATH}/:fileId/lines`,
    door("recon:read", async (ctx, asking) => {
      const file = parameterOf(ctx, "fileId", "number");
      await rowOf(deps, "files", { file });
      await answerPage(deps, "lines", ctx, asking, { file });
    }),
  );
  for (const name of ["lines", "findings"]) {
    router.get(
      `/recon/v1/${name}`,
      door("recon:read", (ctx, asking) => answerPage(deps, name, ctx, asking)),
    );
  }

  const arriving = openTurns("the number of files that arrive at the same time", UPLOADS_MAX);
  const ofToken = new Map<string, number>();
  const receive = door("recon:maker", async (ctx, asking) => {
    const { tokenId } = asking.token;
    const atWork = ofToken.get(tokenId) ?? 0;
    if (atWork >= UPLOADS_OF_TOKEN_MAX) {
      ctx.set("Retry-After", "10");
      throw new AuditRefusal(429, `${UPLOADS_OF_TOKEN_MAX} files of this token are arriving: wait for one to end`);
    }
    ofToken.set(tokenId, atWork + 1);
    try {
      await arriving.take(() => upload(deps, ctx, asking));
    } finally {
      const left = (ofToken.get(tokenId) ?? 1) - 1;
      if (left === 0) ofToken.delete(tokenId);
      else ofToken.set(tokenId, left);
    }
  });
  router.post(UPLOAD_PATH, async (ctx, next) => {
    await receive(ctx, next);
    ctx.app.emit(LONG_BODY, ctx.req.socket, false);
    if (!ctx.req.complete) endUnread(ctx);
  });
}

/**
 * Answers before the whole file has come: who waits for "100 Continue" keeps the file, and who is sending is read from for a
 * moment, since a connection that is closed at once may take the answer with it.
 */
function endUnread(ctx: Context): void {
  if (ctx.get("Expect") !== "" && ctx.status !== 408) ctx.set("Connection", "close");
  ctx.req.resume();
  setTimeout(() => {
    if (!ctx.req.complete) ctx.req.socket.destroy();
  }, LINGER_MS).unref();
}

async function upload(deps: ReconRouteDeps, ctx: Context, asking: ReconAsking): Promise<void> {
  const {
    profile,
    fileName,
    date = null,
    sha256,
    confirm,
    acceptTotals,
    acceptSameContent,
    ...of
  } = uploadOf(ctx, asking);
  assertFile(ctx, deps.uploadMaxBytes);
  ctx.app.emit(LONG_BODY, ctx.req.socket, true);
  if (/^100-continue$/i.test(ctx.get("Expect"))) ctx.res.writeContinue();
  const limits = { maxBytes: deps.uploadMaxBytes, idleMs: IDLE_MS, totalMs: TOTAL_MS };
  await withSpooledFile(ctx.req, deps.uploadDir, limits, async (file) => {
    if (sha256 !== undefined && sha256 !== file.sha256) {
      throw new AuditRefusal(422, `the file that arrived has SHA-256 ${file.sha256}, not the one given`, [], "sha256");
    }
    const {
      kind,
      file: stored,
      rejected,
      ...outcome
    } = await deps.recon.import(asking.actor, {
      ...{ file, profileCode: profile, fileName, date },
      mayReplace: confirm === "true",
      acceptsTotals: acceptTotals === "true",
      acceptsSameContent: acceptSameContent === "true",
      supplement: supplementOf(of),
    });
    asking.rowCount = stored.lines;
    const { totalsFault, ...facts } = stored;
    answerJson(ctx, kind === "imported" ? 201 : 200, {
      ...{ outcome: kind, profile, ...facts, bytes: file.bytes },
      replaced: "replaced" in outcome ? outcome.replaced : null,
      controlTotals: { agree: totalsFault === null, fault: totalsFault },
      rejected,
      allRejected: stored.badLines === 0 ? null : `${UPLOAD_PATH}/${stored.fileId}/lines?class=unreadable`,
    });
  });
}

function supplementOf({ supplementOf: ofFileId, forLines = "" }: Partial<Record<string, string>>) {
  if (ofFileId === undefined) return null;
  return { ofFileId: Number(ofFileId), lineNos: forLines === "" ? [] : forLines.split(",").map(Number) };
}

function uploadOf(ctx: Context, asking: ReconAsking) {
  const { filters } = questionOf(ctx, asking, UPLOAD_FILTERS);
  const { profile = "", fileName = "", supplementOf: original, forLines } = filters;
  const problems = [
    ...(/^[a-z0-9][a-z0-9-]{0,39}$/.test(profile) ? [] : ["profile must be given: the code of a profile"]),
    ...(forLines === undefined || /^[1-9][0-9]{0,8}(,[1-9][0-9]{0,8}){0,999}$/.test(forLines)
      ? []
      : ["forLines must be numbers of lines such as 3,7"]),
    ...(forLines !== undefined && original === undefined ? ["forLines goes with supplementOf"] : []),
    ...(fileName === "" ? ["fileName must be given: the name that the switch gave to the file"] : []),
    ...(/[/\\]|^\.{1,2}$|^ | $/.test(fileName) ? ["fileName must be a name without folders, / and \\"] : []),
  ];
  if (problems.length > 0) throw new AuditRefusal(400, "the file cannot be taken", problems, "upload");
  return { ...filters, profile, fileName } as Partial<Record<string, string>> & { profile: string; fileName: string };
}

function assertFile(ctx: Context, maxBytes: number): void {
  const encoding = ctx.get("Content-Encoding");
  if (!ctx.is(CONTENT_TYPES) || (encoding !== "" && encoding !== "identity")) {
    const problem = `Content-Type must be ${CONTENT_TYPES.join(" or ")}, without compression`;
    throw new AuditRefusal(415, problem, [], "content_type");
  }
  const length = ctx.get("Content-Length");
  if (length !== "" && Number(length) > maxBytes) {
    throw new Fault("upload_too_large", `the file has ${length} bytes, more than the ${maxBytes} that are taken`);
  }
}
