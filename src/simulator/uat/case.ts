import type { OutcomeName, ReplyClass } from "../codes";
import type { TimeStampForm } from "../message";

/** What an answer may be: an outcome (its exact code), a class of codes, or `no-answer`. */
export type Wanted = OutcomeName | ReplyClass | "no-answer";

/** What is expected of an answer. */
export interface Expectation {
  readonly expect: readonly Wanted[];
  /** HTTP status; default 200. */
  readonly status?: readonly number[];
  /** The answer must have the very bytes of this step's answer. */
  readonly sameAs?: string;
}

/** How money is written: as quoted (amount padded to twelve digits, fee bare), or otherwise. */
export type MoneyForm = "quoted" | "bare" | "padded" | { readonly plus: bigint } | { readonly text: string };

/** What a message differs in from a plain one. */
export interface MessageSpec {
  /** Index of a bill of the case, or a number that no biller has. Default 0. */
  readonly bill?: number | "unknown";
  /**
   * Name of the traxId within the case: one name, one traxId. Default `inquiry` for inquiries and `payment` for the rest,
   * so that a reversal has its payment's own.
   */
  readonly trax?: string;
  /** Characters of the traxId; default 16. */
  readonly traxLength?: number;
  readonly amount?: MoneyForm;
  readonly fee?: MoneyForm;
  /** `quoted`: as the bill's latest inquiry answered it. Default: that for money, the bill number for inquiries. */
  readonly bit61?: "quoted" | "without-tail" | "bill-number";
  /** Default `microseconds`. */
  readonly timeStamp?: TimeStampForm;
  /** Minutes by which the switch's clock is wrong. */
  readonly skewMinutes?: number;
  /** Password that signs: the current one, a wrong one, or the one before it. */
  readonly key?: "current" | "wrong" | "previous";
  /** The terminal goes by its ISO 8583 number. */
  readonly terminalAs?: "bit41";
  /** Sent in place of the function's own type; signed. */
  readonly transactionType?: string;
  /** A code that no biller has, in place of the product's. */
  readonly productCode?: "unknown";
  /** Fields put in or replaced after signing. */
  readonly set?: Readonly<Record<string, string | number | null>>;
  readonly leaveOut?: readonly string[];
}

/** How the caller behaves. */
export type MannerSpec = "patient" | "half-close" | "hang-up";

interface Named {
  /** Name by which later steps refer to this one. */
  readonly as?: string;
}

/** One message and what is expected of its answer. */
export type MessageStep = Named &
  MessageSpec &
  Expectation & {
    readonly do: "inquire" | "pay" | "reverse";
    readonly manner?: MannerSpec;
    /** Longest wait, milliseconds; default the run's. */
    readonly timeoutMs?: number;
  };

/** The very bytes of an earlier step again. */
export type RepeatStep = Named &
  Expectation & { readonly do: "repeat"; readonly of: string; readonly manner?: MannerSpec };

/** Many payments at the same time: of one traxId (the very bytes), or each with its own. */
export interface StormStep extends Named, MessageSpec, Expectation {
  readonly do: "storm";
  readonly times: number;
  readonly traxes: "one" | "each";
  /** How many answers must be `ok`. */
  readonly ok?: number;
}

/** Messages that overtake each other: the last one listed goes out first, the others directly behind it. */
export interface TogetherStep {
  readonly do: "together";
  readonly messages: readonly MessageStep[];
}

/** Bytes that are no message. */
export type RawStep = Named &
  Expectation & { readonly do: "raw"; readonly body: string; readonly contentType?: string };

/** Doing nothing for a while. */
export interface WaitStep {
  readonly do: "wait";
  readonly ms: number;
}

/** One step of a case. */
export type Step = MessageStep | RepeatStep | StormStep | TogetherStep | RawStep | WaitStep;

/** What a case can only be tried with. */
export type Need = "tail" | "previous-password" | "reversals";

/** A scripted fault: nothing but data. */
export interface UatCase {
  /** Kebab-case; unique. */
  readonly name: string;
  /** What a biller shows by passing; one or two sentences. */
  readonly purpose: string;
  /** Unpaid bills that the case uses up: the first ones of its bills. 0 and nothing borrowed: it only looks at one. */
  readonly bills: number;
  /** Further unpaid bills, which are unpaid again when the case passes. */
  readonly borrows?: number;
  readonly needs?: readonly Need[];
  readonly steps: readonly Step[];
}
