import type { Command, Option } from 'commander'
import pc from 'picocolors'
import { asCalled, COMMAND } from './command-name.js'
import type { CliContext } from './context.js'
import { styleFor } from './terminal/style.js'

const MAX_COLUMNS = 100
const DEFAULT_COLUMNS = 80

/** How help and usage errors look and where they go; commands that are made afterwards inherit it. */
export function configureHelp(
  program: Command,
  {
    args,
    env,
    stdout,
    stderr,
    name = COMMAND,
  }: Pick<CliContext, 'env' | 'stdout' | 'stderr'> & { args: readonly string[]; name?: string },
): void {
  const isJson = args.includes('--json')
  let hasFailed = false
  const width = ({ isTTY, columns }: CliContext['stdout']) =>
    isTTY === true ? Math.min(columns || DEFAULT_COLUMNS, MAX_COLUMNS) : DEFAULT_COLUMNS
  program
    .configureHelp({
      showGlobalOptions: true,
      minWidthToWrap: 20,
      optionDescription: describeOption,
      // All take options; that need not be said of each.
      subcommandTerm: (command) => command.name(),
      styleTitle: colours.bold,
      styleOptionTerm: colours.cyan,
      styleSubcommandTerm: colours.cyan,
    })
    .configureOutput({
      writeOut: (text) => void stdout.write(asCalled(text, name)),
      writeErr(text) {
        // With `--json` the error has said it; no help after it.
        if (!(isJson && hasFailed)) stderr.write(text)
      },
      outputError(text, write) {
        hasFailed = true
        if (isJson) stderr.write(`${usageError(text)}\n`)
        else write(text)
      },
      getOutHelpWidth: () => width(stdout),
      getErrHelpWidth: () => width(stderr),
      // Without colours Commander takes them out again.
      getOutHasColors: () => styleFor(stdout, env).isColorSupported,
      getErrHasColors: () => styleFor(stderr, env).isColorSupported,
    })
}

const colours = pc.createColors(true)

/** `what it is (one of a, b; default: a)`, without quotes. */
function describeOption({ description, argChoices, defaultValue, defaultValueDescription }: Option): string {
  const shown = defaultValueDescription ?? (isShown(defaultValue) ? String(defaultValue) : undefined)
  const extra = [
    ...(argChoices ? [`one of ${argChoices.join(', ')}`] : []),
    ...(shown === undefined ? [] : [`default: ${shown}`]),
  ]
  return extra.length === 0 ? description : `${description} (${extra.join('; ')})`
}

function isShown(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'number'
}

/** As the other errors are with `--json`. */
function usageError(text: string): string {
  const message = text
    .trim()
    .replace(/^error: /, '')
    .replaceAll('\n', ' ')
  return JSON.stringify({ time: new Date().toISOString(), level: 'error', event: 'error', message, error: 'usage' })
}

/** What stands below the options of a command: examples, and what is worth knowing. */
export function afterHelp(name: keyof typeof AFTER): string {
  const lines = AFTER[name].trimEnd().split('\n')
  return lines.map((line) => (/^[A-Z].*:$/.test(line) ? colours.bold(line) : line)).join('\n')
}

const AFTER = {
  sallyport: `
Examples:
  $ sallyport enroll --panel https://panel.example.com
  $ sallyport run --local-port 25565
  $ sallyport allocations
  $ sallyport service install

Environment:
  SALLYPORT_PANEL    the panel's URL
  SALLYPORT_TOKEN    the device token, instead of the one in the configuration
  SALLYPORT_API_KEY  an administrator's key, for enroll --kind server
  HTTPS_PROXY, HTTP_PROXY, NO_PROXY
                     the way to the panel, and to relays that are out of reach
  NO_COLOR           no colours

Exit codes:
  0   done, or stopped by a signal
  1   failure, or cancelled
  2   wrong usage
  3   not enrolled, or the panel refuses the token: enrol again
  69  the panel is out of reach
`,
  enroll: `
Examples:
  $ sallyport enroll --panel https://panel.example.com
  $ sallyport enroll --panel https://panel.example.com --name minecraft-box
  $ SALLYPORT_API_KEY=... sallyport enroll --kind server \\
      --panel https://panel.example.com

An administrator approves the code within a few minutes. Enrolling again gives
another token and keeps the tunnels and rules of the configuration.
`,
  run: `
Examples:
  $ sallyport run
  $ sallyport run --local-port 25565
  $ sallyport run --local-port 19132 --protocol udp
  $ sallyport run --local-port 25565 --port 25565 --region eu
  $ sallyport run --local-host 192.168.1.20 --local-port 25565 \\
      --allow 192.168.1.20:25565

Several tunnels, in the configuration beside the token:
  "tunnels": [{ "localPort": 25565 }, { "localPort": 19132, "protocol": "udp" }]
`,
  open: `
Examples:
  $ sallyport open --local-port 25565
  $ sallyport open --local-port 25565 --port 25565 --region eu
  $ sallyport open --local-port 27015 --protocol both --json
`,
  allocations: `
Examples:
  $ sallyport allocations
  $ sallyport allocations --json
  $ sallyport allocations | grep udp

On a terminal tunnels are paused, resumed, changed, removed and opened here;
otherwise, and with --json, they are listed.
`,
  relay: `
Examples:
  $ SALLYPORT_API_KEY=... sallyport enroll --kind server \\
      --panel https://panel.example.com
  $ sallyport relay --bind-host 0.0.0.0 --public-host play.example.com
  $ sallyport relay --bind-host 0.0.0.0 --public-host eu.example.com \\
      --region eu --port-range 20000-20999

What it serves is kept beside the configuration, so that it serves on after a
restart while the panel is away.

Signals: SIGTERM and SIGINT stop it (see --drain), a second one at once. SIGHUP
upgrades it: the program is started anew from its file, takes everything over,
and nobody is cut off.
`,
  service: `
Examples:
  $ sudo sallyport service install
  $ sallyport service install --user
  $ sudo sallyport service install --config ./relay.json -- \\
      --bind-host 0.0.0.0 --public-host play.example.com
  $ sallyport service install --dry-run
  $ sudo sallyport service uninstall

The program is copied, so it does not depend on npm's folders. Repeat install
after an update: an agent starts anew, a relay keeps its players. Arguments
behind -- are kept until others are given.
`,
} as const
