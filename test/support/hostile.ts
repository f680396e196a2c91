import type { AuditReply } from "./audit";

/** Values that belong to no parameter of any kind. */
export const HOSTILE = [
  "'; drop table trax; --",
  "' or '1'='1",
  "1) or (1=1",
  "$1",
  "\\",
  "%",
  "_",
  "../../etc/passwd",
  "<script>alert(1)</script>",
  "{}",
  "null",
  "-1",
  "1e3",
  "0x10",
  "1.5",
  "９９",
  "NaN",
  "Infinity",
  "99999999999999999999999999",
  "2026-02-30",
  "2026-13-01T00:00:00Z",
  "2026-01-01T24:00:00Z",
  "2026-01-01T00:00:00",
  "infinity",
  "now",
  "épée",
  "\u0000",
  "a\nb",
  "\u202e",
  "😀",
  "x".repeat(200),
];

/** What is wrong with the answer to a hostile value: nothing, as a rule. */
export function faultOfHostile({ name, value, reply }: HostileAnswer, kind: string | undefined): string[] {
  const wrong = (what: string): string[] => [
    `${name}=${JSON.stringify(value)}: ${what}, ${reply.status} ${reply.text.slice(0, 200)}`,
  ];
  if (reply.status === 200) {
    // A text may hold anything printable, and finds nothing.
    const isText =
      (kind === "text" || kind === "traxId" || kind === "person") &&
      /^[ -~]{1,100}$|^[\p{L}\p{N} ]{1,100}$/u.test(value);
    return isText && reply.data.length === 0 ? [] : wrong("accepted");
  }
  const problems = (reply.body["problems"] ?? []) as string[];
  if (reply.status !== 400 || problems.length !== 1 || problems[0]?.includes(name) !== true)
    return wrong("not a precise refusal");
  // The name of a parameter and what it must be; never what was sent.
  return value.length > 6 && reply.text.includes(value) ? wrong("repeats the value") : [];
}

/** What came back for a hostile value. */
export interface HostileAnswer {
  readonly name: string;
  readonly value: string;
  readonly reply: Pick<AuditReply, "status" | "text" | "body" | "data">;
}
