import { z } from "zod";
import { GOODS, type Line, QUANTITY_MAX } from "./goods";
import type { Customer } from "./order";

/** What the order form held, as typed. */
export interface Typed {
  readonly quantities: Readonly<Record<string, string>>;
  readonly name: string;
  readonly email: string;
  readonly phone: string;
}

/** Parts of the form that may be wrong. */
export type FormProblem = "lines" | "name" | "email" | "phone";

/** What reading the form gives. */
export interface ReadForm {
  readonly typed: Typed;
  readonly problems: readonly FormProblem[];
  /** Only to be used without problems. */
  readonly wish: { readonly lines: readonly Line[]; readonly customer: Customer; readonly isShort: boolean };
}

/** The form as a customer finds it. */
export const EMPTY_FORM: Typed = {
  quantities: { [GOODS[0]?.code ?? ""]: "1" },
  name: "Budi Santoso",
  email: "budi@example.com",
  phone: "081200000000",
};

/** Reads the order form. Prices are the shop's own: the form names codes and quantities only. */
export function readForm(text: string): ReadForm {
  const form = new URLSearchParams(text);
  const field = (name: string): string => (form.get(name) ?? "").trim().slice(0, 200);
  const quantities = Object.fromEntries(GOODS.map(({ code }) => [code, field(`quantity-${code}`)]));
  const typed = { quantities, name: field("name"), email: field("email"), phone: field("phone") };
  const counts = GOODS.map((product) => ({ product, quantity: countFrom(quantities[product.code] ?? "") }));
  const lines = counts.flatMap(({ product, quantity }) => (quantity ? [{ product, quantity }] : []));
  const checks: Readonly<Record<FormProblem, boolean>> = {
    lines: lines.length > 0 && counts.every(({ quantity }) => quantity !== null),
    name: /^[\P{C}]{1,60}$/u.test(typed.name),
    email: z.email().max(100).safeParse(typed.email).success,
    phone: /^\+?[0-9]{8,15}$/.test(typed.phone),
  };
  return {
    typed,
    problems: (Object.keys(checks) as FormProblem[]).filter((name) => !checks[name]),
    wish: {
      lines,
      customer: { name: typed.name, email: typed.email, phone: typed.phone },
      isShort: form.get("due") === "short",
    },
  };
}

function countFrom(text: string): number | null {
  if (text === "") return 0;
  return /^[0-9]{1,2}$/.test(text) && Number(text) <= QUANTITY_MAX ? Number(text) : null;
}
