import { type DayClose, parseBody } from "./close";
import { wordFor } from "./code-words";
import type { CloseAdditions, CloseBody } from "./body";
import { REPORT_KINDS, type ReportColumn, type ReportKey, type ReportRow, type ReportSection } from "./report-table";
import { dateText, jakartaText } from "./report-values";
import { REPORT_WORDS, type ReportLanguage, type ReportWords } from "./words";

interface Source {
  readonly close: DayClose;
  readonly body: CloseBody;
  readonly language: ReportLanguage;
  readonly words: ReportWords;
}

/** Everything that a closed day says, section by section, from its stored bytes alone. */
export function sectionsOf(close: DayClose, language: ReportLanguage, billerName: string | null): ReportSection[] {
  const source = { close, body: parseBody(close), language, words: REPORT_WORDS[language] };
  return [
    summaryOf(source, billerName),
    receivableOf(source),
    accountsOf(source),
    messagesOf(source),
    ...expectedFilesOf(source),
    filesOf(source),
    ...supplementsOf(source),
    reconciliationOf(source),
    postedOf(source),
    openExceptionsOf(source),
    ...withoutFileOf(source),
    lateOf(source),
  ];
}

function column(key: ReportKey, title: string, width: number = REPORT_KINDS[key] === "amount" ? 18 : 14): ReportColumn {
  return { key, title, width };
}

function summaryOf({ close, body, language, words }: Source, billerName: string | null): ReportSection {
  const { version, replaces, begin } = body;
  const rows: (ReportRow | null)[] = [
    billerName === null ? null : { item: words.biller, detail: billerName },
    { item: words.businessDate, detail: dateText(body.businessDate, language), date: body.businessDate },
    { item: words.asOf, detail: jakartaText(body.asOf, language) },
    { item: words.closedBy, detail: close.closedBy },
    version === undefined ? null : { item: words.version, version },
    ...(replaces ? replacedRows(replaces, words) : []),
    ...(begin
      ? [
          { item: words.begin, count: begin.entries },
          { item: words.beginSince, detail: dateText(begin.earliest, language), date: begin.earliest },
        ]
      : []),
    { item: words.waiting, count: body.waitingProposals },
    { item: words.sha256, detail: close.sha256 },
    { item: words.previous, detail: body.previousSha256 ?? words.none },
  ];
  return {
    sheet: words.summary,
    title: words.summary,
    columns: [
      column("item", words.item, 36),
      column("detail", words.detail, 68),
      column("date", words.date),
      ...(version === undefined ? [] : [column("version", words.fileVersion, 10)]),
      column("count", words.count),
    ],
    rows: rows.filter((row) => row !== null),
    hasTotal: false,
    isFacts: true,
  };
}

function replacedRows(replaces: NonNullable<CloseAdditions["replaces"]>, words: ReportWords): ReportRow[] {
  return [
    { item: words.replaces, version: replaces.version },
    { item: words.reason, detail: replaces.reason },
    { item: words.proposedBy, detail: replaces.proposedBy },
    { item: words.approvedBy, detail: replaces.approvedBy },
  ];
}

function receivableOf({ body, words }: Source): ReportSection {
  const names = ["opening", "accepted", "reversed", "settled", "corrected", "late", "closing"] as const;
  return {
    sheet: words.summary,
    title: words.receivable,
    columns: [column("item", words.item, 36), column("amount", words.amount)],
    rows: names.map((name) => ({ item: words[name], amount: body.receivable[name] })),
    hasTotal: false,
  };
}

function accountsOf({ body, language, words }: Source): ReportSection {
  return {
    sheet: words.accounts,
    title: words.accounts,
    columns: [
      column("item", words.account, 30),
      ...(["opening", "debits", "credits", "late", "closing"] as const).map((key) => column(key, words[key])),
    ],
    rows: body.accounts.map(({ account, opening, debits, credits, late, closing }) => ({
      item: wordFor("account", account, language),
      opening,
      debits,
      credits,
      late,
      closing,
    })),
    hasTotal: true,
  };
}

function messagesOf({ body, language, words }: Source): ReportSection {
  return {
    sheet: words.productsSheet,
    title: words.products,
    columns: [
      column("item", words.product, 12),
      column("detail", words.family, 26),
      column("class", words.outcome, 34),
      column("count", words.count),
      column("amount", words.amount),
      column("fee", words.fee),
    ],
    rows: body.products.map(({ product, family, outcome, count, amount, fee }) => ({
      item: product,
      detail: wordFor("family", family, language),
      class: wordFor("outcome", outcome, language),
      count,
      amount,
      fee,
    })),
    hasTotal: false,
  };
}

function expectedFilesOf({ body, language, words }: Source): ReportSection[] {
  if (body.expectedFiles === undefined) return [];
  return [
    {
      sheet: words.expectedFiles,
      title: words.expectedFiles,
      columns: [
        column("profile", words.profile),
        column("class", words.state, 20),
        column("item", words.file, 32),
        column("detail", words.detail, 60),
      ],
      rows: body.expectedFiles.map((each) => ({
        profile: each.profile,
        class: wordFor("expected", each.state, language),
        item: each.files.join(", "),
        detail: [
          `${words.partner} ${each.partner}`,
          each.product === null ? words.anyProduct : `${words.product} ${each.product}`,
          `${words.dueAt} ${jakartaText(each.dueAt, language)}`,
          each.reason === null ? null : `${words.reason}: ${each.reason}`,
          each.proposedBy === null ? null : `${words.proposedBy} ${each.proposedBy}`,
          each.approvedBy === null ? null : `${words.approvedBy} ${each.approvedBy}`,
        ]
          .filter((part) => part !== null)
          .join("; "),
      })),
      hasTotal: false,
    },
  ];
}

function filesOf({ body, words }: Source): ReportSection {
  return {
    sheet: words.filesSheet,
    title: words.files,
    columns: [
      column("item", words.file, 32),
      column("profile", words.profile),
      column("version", words.fileVersion, 8),
      column("count", words.lines, 12),
      column("unreadable", words.unreadable, 14),
      column("amount", words.amount),
      column("fee", words.fee),
      column("detail", "SHA-256", 34),
    ],
    rows: body.files.map((file) => ({
      item: file.name,
      profile: file.profile,
      version: file.version,
      count: file.lines,
      unreadable: file.badLines,
      amount: file.amount,
      fee: file.fee,
      detail: file.sha256,
    })),
    hasTotal: true,
  };
}

function supplementsOf({ body, words }: Source): ReportSection[] {
  if (body.supplements === undefined || body.supplements.length === 0) return [];
  return [
    {
      sheet: words.supplementsSheet,
      title: words.supplements,
      columns: [column("item", words.file, 40), column("detail", words.corrects, 40)],
      rows: body.supplements.map(({ name, of }) => ({ item: name, detail: of })),
      hasTotal: false,
    },
  ];
}

function reconciliationOf({ body, language, words }: Source): ReportSection {
  return {
    sheet: words.reconciliation,
    title: words.reconciliation,
    columns: [
      column("profile", words.profile, 20),
      column("class", words.class, 38),
      column("count", words.count),
      column("resolved", words.resolved),
      column("amount", words.amount),
      column("difference", words.difference),
    ],
    rows: body.reconciliation.map((each) => ({
      profile: each.profile,
      class: wordFor("class", each.class, language),
      count: each.count,
      resolved: each.resolved,
      amount: each.amount,
      difference: each.difference,
    })),
    hasTotal: true,
  };
}

function postedOf({ body, language, words }: Source): ReportSection {
  return {
    sheet: words.postedSheet,
    title: words.posted,
    columns: [
      column("profile", words.profile, 20),
      column("class", words.kind, 34),
      column("count", words.lines),
      column("amount", words.amount),
      column("due", words.due, 24),
    ],
    rows: body.posted.map((each) => ({
      profile: each.profile,
      class: wordFor("posted", each.kind, language),
      count: each.count,
      amount: each.amount,
      due: each.due,
    })),
    hasTotal: true,
  };
}

function openExceptionsOf({ body, language, words }: Source): ReportSection {
  return {
    sheet: words.openExceptions,
    title: words.openExceptions,
    columns: [
      column("class", words.class, 40),
      column("count", words.count),
      column("amount", words.amount),
      column("difference", words.difference),
    ],
    rows: body.openExceptions.map((each) => ({
      class: wordFor("class", each.class, language),
      count: each.count,
      amount: each.amount,
      difference: each.difference,
    })),
    hasTotal: true,
  };
}

function withoutFileOf({ body, words }: Source): ReportSection[] {
  if (body.paymentsWithoutFile === undefined) return [];
  return [
    {
      sheet: words.withoutFileSheet,
      title: words.withoutFile,
      columns: [
        column("detail", words.partner, 30),
        column("item", words.product),
        column("count", words.count),
        column("amount", words.amount),
      ],
      rows: body.paymentsWithoutFile.map(({ partner, product, count, amount }) => ({
        detail: partner,
        item: product,
        count,
        amount,
      })),
      hasTotal: true,
    },
  ];
}

function lateOf({ body, language, words }: Source): ReportSection {
  return {
    sheet: words.lateSheet,
    title: words.lateEntries,
    columns: [
      column("date", words.businessDate, 18),
      column("class", words.kind),
      column("item", "traxId", 32),
      column("detail", words.entry, 38),
      column("amount", words.amount),
    ],
    rows: body.late.map((each) => ({
      date: each.businessDate,
      class: wordFor("entry", each.kind, language),
      item: each.traxId,
      detail: each.entryId,
      amount: each.amount,
    })),
    hasTotal: false,
  };
}
