const NOT_PRINTABLE = /[^ -~]/;

/** Offset of the first character that is not printable ASCII (U+0020 to U+007E), or -1. Total for any string. */
export function firstNonPrintable(text: string): number {
  return text.search(NOT_PRINTABLE);
}

/** Whether a text is one or more ASCII digits, nothing else. */
export function isDigits(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code < 0x30 || code > 0x39) return false;
  }
  return text.length > 0;
}
