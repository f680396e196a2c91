import type { Markup } from "../../platform";
import { html } from "../html";
import type { Language } from "../words";

/** Something that the shop sells. Price in whole rupiah. */
export interface Product {
  readonly code: string;
  readonly price: bigint;
  readonly name: string;
  readonly about: Readonly<Record<Language, string>>;
  readonly picture: Markup;
}

/** A drawing of 48 by 48, for decoration only. */
const drawing = (shapes: Markup): Markup =>
  html`<svg class="picture" viewBox="0 0 48 48" width="56" height="56" aria-hidden="true" focusable="false">
    <rect width="48" height="48" rx="10" fill="#f3e7d7" />
    ${shapes}
  </svg>`;

/** All of it. Names are proper names and stay as they are in both languages. */
export const GOODS: readonly Product[] = [
  {
    code: "gayo",
    price: 85_000n,
    name: "Kopi Gayo 250 g",
    about: { id: "Biji sangrai sedang dari Aceh", en: "Medium roast beans from Aceh" },
    picture: drawing(
      html`<path d="M14 12h20l2 6v20a2 2 0 0 1-2 2H14a2 2 0 0 1-2-2V18z" fill="#6b4226" />
        <path d="M14 12h20l2 6H12z" fill="#8a5a38" />
        <ellipse cx="24" cy="29" rx="5" ry="7" fill="#f3e7d7" />
        <path d="M24 22c-3 5 3 9 0 14" stroke="#6b4226" stroke-width="1.8" fill="none" />`,
    ),
  },
  {
    code: "toraja",
    price: 92_500n,
    name: "Kopi Toraja 250 g",
    about: { id: "Biji sangrai gelap dari Sulawesi", en: "Dark roast beans from Sulawesi" },
    picture: drawing(
      html`<path d="M14 12h20l2 6v20a2 2 0 0 1-2 2H14a2 2 0 0 1-2-2V18z" fill="#2f4d3a" />
        <path d="M14 12h20l2 6H12z" fill="#44705a" />
        <path d="M16 34l8-14 8 14z" fill="#f3e7d7" />
        <path d="M20 34l4-7 4 7z" fill="#2f4d3a" />`,
    ),
  },
  {
    code: "tubruk",
    price: 18_000n,
    name: "Kopi Tubruk",
    about: { id: "Segelas kopi panas", en: "A glass of hot coffee" },
    picture: drawing(
      html`<path d="M12 20h20v10a8 8 0 0 1-8 8h-4a8 8 0 0 1-8-8z" fill="#b5533c" />
        <path d="M32 22h3a4 4 0 0 1 0 9h-3" stroke="#b5533c" stroke-width="3" fill="none" />
        <path
          d="M18 16c-2-3 2-4 0-7M24 16c-2-3 2-4 0-7"
          stroke="#6b4226"
          stroke-width="2"
          fill="none"
          stroke-linecap="round"
        />`,
    ),
  },
  {
    code: "pisang",
    price: 22_000n,
    name: "Pisang Goreng",
    about: { id: "Lima potong, baru digoreng", en: "Banana fritters, five pieces" },
    picture: drawing(
      html`<path d="M10 32c10 4 22 0 27-14l2 2c-2 16-18 24-30 16z" fill="#e2a72e" />
        <path d="M10 26c9 3 18-1 22-12l2 2c-1 14-15 20-25 14z" fill="#f0c04f" />
        <ellipse cx="24" cy="40" rx="16" ry="2.5" fill="#d9c4a8" />`,
    ),
  },
];

/** Most of one product in one order. */
export const QUANTITY_MAX = 9;

/** One product of an order, and how many. */
export interface Line {
  readonly product: Product;
  readonly quantity: number;
}

/** What lines cost together, whole rupiah. */
export function totalOf(lines: readonly Line[]): bigint {
  return lines.reduce((sum, { product, quantity }) => sum + product.price * BigInt(quantity), 0n);
}
