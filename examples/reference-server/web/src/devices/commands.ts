/** What a person pastes into a shell. `posix`: bash, zsh and sh; `windows`: PowerShell. */
export type System = 'posix' | 'windows'

/** Which of them the browser's own machine most likely has. */
export function likelySystem(userAgent: string = navigator.userAgent): System {
  return /windows/i.test(userAgent) ? 'windows' : 'posix'
}

/** Fetches the program, and if that worked, runs it. */
export function enrolCommand(system: System, options = '', origin: string = location.origin): string {
  const panel = quoted(origin)
  const enrol = `node sallyport.mjs enroll${options} --panel ${panel}`
  // What `curl` means in an old PowerShell is another program; one without `&&` it is, too.
  if (system === 'windows') return `curl.exe ${fetchProgram(origin)}; if ($?) { ${enrol} }`
  return `curl ${fetchProgram(origin)} && ${enrol}`
}

export const runCommand = 'node sallyport.mjs run'

/** Has systemd keep the agent running; root's own home has no enrolment. */
export const agentServiceCommand = 'sudo node sallyport.mjs service install --config ~/.config/sallyport/agent.json'

function fetchProgram(origin: string): string {
  // An IPv6 address stands in brackets, which curl and zsh take for a pattern.
  const flags = origin.includes('[') ? '-gfsSLO' : '-fsSLO'
  return `${flags} ${quoted(`${origin}/sallyport.mjs`)}`
}

function quoted(text: string): string {
  return /^[\w.:/-]+$/.test(text) ? text : `'${text}'`
}

/** The panel is open by a name that other machines take for themselves. */
export function isOnlyHere(hostname: string = location.hostname): boolean {
  return hostname === 'localhost' || hostname.endsWith('.localhost') || /^127\.|^\[::1\]$/.test(hostname)
}
