/** Longest local part and whole address, characters (RFC 5321, 4.5.3.1). */
const LOCAL_MAX = 64;
const ADDRESS_MAX = 254;

/**
 * What is wrong with an e-mail address that bills are sent to, or null. One plain address of printable ASCII: no display
 * name, no quoted local part, no comment, no address literal, no list. Whatever could mean something else to a mail server,
 * or end a header line, is none of it.
 */
export function faultOfEmailAddress(text: string): string | null {
  if (text === "") return "it is empty";
  if (text.length > ADDRESS_MAX) return `it is longer than ${ADDRESS_MAX} characters`;
  if (/[^!-~]/.test(text)) return "it holds a blank, a control character or a letter beyond ASCII";
  const parts = text.split("@");
  const [local = "", domain = ""] = parts;
  if (parts.length !== 2) return `it holds ${parts.length < 2 ? "no @" : "more than one @"}`;
  if (local === "" || local.length > LOCAL_MAX) return `before the @ stand 1 to ${LOCAL_MAX} characters`;
  if (!/^[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+$/.test(local)) return "before the @ stands a character that has to be quoted";
  if (/^\.|\.\.|\.$/.test(local)) return "before the @ a dot stands first, last or twice";
  const labels = domain.split(".");
  if (labels.length < 2) return "after the @ stands no domain with a dot";
  const isDomain = labels.every((label) => /^(?!-)[A-Za-z0-9-]{1,63}(?<!-)$/.test(label));
  if (!isDomain || /^[0-9]+$/.test(labels.at(-1) ?? "")) return "after the @ stands no domain name";
  return null;
}
