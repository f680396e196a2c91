const RAW_MAX = 500;

/** What is kept of a bad line or value: its beginning, with everything that is not to be seen written out. */
export function rawOf(text: string, maxLength = RAW_MAX): string {
  // Control characters, signs that turn the direction of writing, and halves of characters.
  const shown = text.slice(0, maxLength).replaceAll(/\p{Cc}|\p{Cf}|\p{Cs}|\p{Zl}|\p{Zp}/gu, (sign) => {
    return `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
  return text.length > maxLength ? `${shown}…` : shown;
}
