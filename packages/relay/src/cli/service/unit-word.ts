/**
 * One word of an Exec line (systemd.service(5), "Command lines"): quoted, with systemd's own specifiers and variables taken as they are written. Throws
 * RangeError on control characters, which no word of ours has.
 */
export function unitWord(text: string): string {
  if (/\p{Cc}/u.test(text)) throw new RangeError('control characters cannot stand in a unit')
  const plain = text.replaceAll('%', '%%').replaceAll('$', '$$$$')
  if (/^[\w@%+=:,./$-]+$/.test(plain)) return plain
  return `"${plain.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
}
