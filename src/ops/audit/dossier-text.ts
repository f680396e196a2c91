import type { Row } from "./columns";
import type { Dossier, KeyDossier } from "./dossier";
import { textOf } from "./format-writer";

/** A dossier for people: what happened in order, then every part of it. */
export function dossierText(dossier: Dossier): string {
  const { traxId, keys, attempts, timeline, isMasked } = dossier;
  return [
    `DOSSIER OF traxId ${traxId}`,
    isMasked ? "Names and contacts are masked." : "Names and contacts are shown.",
    keys.length === 0 ? "The traxId was seen and never used up: no money moved under it." : "",
    "",
    "WHAT HAPPENED",
    ...timeline.map(({ at, what, detail }) => `  ${at}  ${what}${detail === "" ? "" : `: ${detail}`}`),
    ...keys.flatMap(keyText),
    "",
    `REQUESTS SEEN (${attempts.length})`,
    ...attempts.flatMap((attempt) => [
      ...fieldLines(attempt, ["receivedAt", "transactionType", "outcome", "resultCode", "isReplay", "isDelivered"]),
      ...fieldLines(attempt, ["durationMs", "sourceAddress", "note", "request", "reply"]),
      "",
    ]),
  ]
    .filter((line, index, all) => line !== "" || all[index - 1] !== "")
    .join("\n");
}

function keyText(key: KeyDossier): string[] {
  const { registry, reply, quotes, entries, exceptions, callbacks, settlement, seals, isSealed, bill } = key;
  return [
    "",
    `${String(registry["family"]).toUpperCase()} AT PARTNER ${String(registry["partner"])}`,
    ...fieldLines(registry, Object.keys(registry)),
    "",
    `ANSWER THAT WAS STORED (${reply.bytes} bytes, SHA-256 ${reply.sha256})`,
    `  ${typeof reply.body === "string" ? reply.body : JSON.stringify(reply.body)}`,
    ...bit61Lines(reply.bit61),
    ...section("QUOTES", quotes),
    ...section("JOURNAL ENTRIES", entries),
    ...section("EXCEPTIONS", exceptions),
    ...section("CALLBACKS TO THE MERCHANT", callbacks),
    ...section("SETTLEMENT LINES", settlement),
    ...section("SEALS", seals),
    isSealed ? "  It can be proven: biller ledger proof, or /proof in the audit API." : "  It is not sealed yet.",
    ...section("THE BILL NOW", bill === null ? [] : [bill]),
  ];
}

function section(title: string, rows: readonly Row[]): string[] {
  if (rows.length === 0) return ["", `${title}: none`];
  return [
    "",
    title,
    ...rows.flatMap((row, index) => [...(index === 0 ? [] : [""]), ...fieldLines(row, Object.keys(row))]),
  ];
}

function bit61Lines(bit61: Row | null): string[] {
  const columns = bit61?.["columns"] as readonly Row[] | null | undefined;
  if (columns === null || columns === undefined) return [];
  return [
    "  bit61 by columns (offset, width, field, characters):",
    ...columns.map(
      ({ offset, width, name, raw }) =>
        `    ${String(offset).padStart(4)} ${String(width).padStart(4)}  ${String(name).padEnd(28)} ${JSON.stringify(raw)}`,
    ),
  ];
}

function fieldLines(row: Row, names: readonly string[]): string[] {
  return names.flatMap((name) => {
    const value = row[name];
    if (value === null || value === undefined || value === "") return [];
    if (Array.isArray(value)) return [`  ${name}:`, ...value.map((each) => `    ${JSON.stringify(each)}`)];
    return [`  ${name.padEnd(16)} ${textOf(value) ?? ""}`];
  });
}
