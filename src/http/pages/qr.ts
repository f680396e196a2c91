import qrcode from "qrcode-generator";
import { html, Markup } from "../../platform";

/** Modules of white around the code, as the standard asks. */
const QUIET = 4;

/**
 * A QR code of digits as a drawing in the page: one path, a square for each dark module.
 *
 * @param digits the payment code, digits only
 * @param label what it is, for those who do not see it
 */
export function qrDrawing(digits: string, label: string): Markup {
  const code = qrcode(0, "M");
  code.addData(digits, /^[0-9]+$/.test(digits) ? "Numeric" : "Byte");
  code.make();
  const count = code.getModuleCount();
  let path = "";
  for (let row = 0; row < count; row += 1) {
    for (let column = 0; column < count; column += 1) {
      if (code.isDark(row, column)) path += `M${column + QUIET} ${row + QUIET}h1v1h-1z`;
    }
  }
  const size = count + 2 * QUIET;
  return html`<svg
    class="qr"
    role="img"
    aria-label="${label}"
    viewBox="0 0 ${size} ${size}"
    shape-rendering="crispEdges"
  >
    <rect width="${size}" height="${size}" fill="#fff" />
    <path d="${new Markup(path)}" fill="#000" />
  </svg>`;
}
