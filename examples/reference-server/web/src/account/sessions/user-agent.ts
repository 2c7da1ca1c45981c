type Pattern = readonly [expression: RegExp, name: string]

/** The first that fits counts: most browsers claim to be others, too. */
const browsers: readonly Pattern[] = [
  [/\bEdg(?:e|A|iOS)?\//, 'Edge'],
  [/\b(?:OPR|OPX|OPT)\//, 'Opera'],
  [/\bSamsungBrowser\//, 'Samsung Internet'],
  [/\bVivaldi\//, 'Vivaldi'],
  [/\b(?:Firefox|FxiOS)\//, 'Firefox'],
  [/\b(?:Chrome|CriOS|HeadlessChrome|Chromium)\//, 'Chrome'],
  [/\bVersion\/\S+.*\bSafari\//, 'Safari'],
]
const systems: readonly Pattern[] = [
  [/\bWindows\b/, 'Windows'],
  [/\biPhone\b/, 'iPhone'],
  [/\biPad\b/, 'iPad'],
  [/\bAndroid\b/, 'Android'],
  [/\bCrOS\b/, 'ChromeOS'],
  [/\bMac OS X\b|\bMacintosh\b/, 'macOS'],
  [/\bLinux\b/, 'Linux'],
]

/** `Firefox on Windows`. What is no browser is shown by the name that it gives, such as `curl`. */
export function describeUserAgent(userAgent: string | null): string {
  if (!userAgent) return 'Unknown'
  const find = (patterns: readonly Pattern[]) => patterns.find(([expression]) => expression.test(userAgent))?.[1]
  const [browser, system] = [find(browsers), find(systems)]
  if (browser) return system ? `${browser} on ${system}` : browser
  if (system && userAgent.startsWith('Mozilla/')) return `A browser on ${system}`
  return /^[\w.@-]{1,40}/.exec(userAgent)?.[0] ?? 'Unknown'
}
