import type { ServicePlaces } from './places.js'
import { unitWord } from './unit-word.js'

export interface UnitOptions {
  places: ServicePlaces
  /** Node's real path. */
  node: string
  /** The enrolment of a user's service. */
  userConfig: string
  /** For `run` or `relay`. */
  args: readonly string[]
  /** As people gave them: an install without any takes them from here. */
  given: readonly string[]
  /** How long a stop may take: players may finish. */
  stopSeconds: number
  /** Ports below 1024 are wanted. */
  lowPorts: boolean
  /** PEM files that root alone can read, of a relay. */
  certificate?: { certificate: string; privateKey: string }
}

const ARGUMENTS = '# arguments: '

/**
 * After an upgrade the main process was another one's child when systemd heard of it. Such a process it does not wait for at a stop: SIGKILL comes right after
 * SIGTERM. So it is waited for here.
 */
const EXEC_STOP = `ExecStop=-/bin/sh -c ${unitWord('exec 2>/dev/null; kill -TERM "$MAINPID" && while kill -0 "$MAINPID"; do sleep 0.1; done')}`

/** The unit's text. */
export function unitText(options: UnitOptions): string {
  const { places, given, stopSeconds } = options
  const { kind, scope } = places
  const system = scope === 'system'
  const relay = kind === 'server'
  const sections: [string, (string | undefined)[]][] = [
    [
      'Unit',
      [
        `Description=Sallyport ${relay ? 'relay' : 'agent'}`,
        ...(system ? ['Wants=network-online.target', 'After=network-online.target nss-lookup.target'] : []),
        // It tries for ever.
        'StartLimitIntervalSec=0',
      ],
    ],
    [
      'Service',
      [
        'Type=notify',
        // systemd-notify is a process of its own, and so is a relay's successor.
        'NotifyAccess=all',
        ...(options.certificate ? copyCertificate('ExecStartPre', places, options.certificate) : []),
        `ExecStart=${execStart(options)}`,
        ...(options.certificate ? copyCertificate('ExecReload', places, options.certificate) : []),
        ...(relay ? ['ExecReload=/bin/kill -HUP $MAINPID', EXEC_STOP] : []),
        'Restart=always',
        'RestartSec=3',
        // Wrong usage; not enrolled or the token refused: trying again does not help.
        'RestartPreventExitStatus=2 3',
        'WatchdogSec=60',
        'TimeoutStartSec=60',
        `TimeoutStopSec=${stopSeconds}`,
        'LimitNOFILE=524288',
        'UMask=0077',
      ],
    ],
    ['', [...(system ? systemIdentity(options) : [])]],
    ['', system ? SYSTEM_SANDBOX : USER_SANDBOX],
    ['Install', [`WantedBy=${system ? 'multi-user' : 'default'}.target`]],
  ]
  const body = sections
    .map(([title, lines]) => [...(title === '' ? [] : [`[${title}]`]), ...lines].join('\n'))
    .filter((section) => section !== '')
    .join('\n\n')
  const head = `# Written by 'sallyport service install', which writes it anew; changes of yours go into 'systemctl ${system ? '' : '--user '}edit ${places.name}'.`
  return `${head}\n${ARGUMENTS}${JSON.stringify(given)}\n${body}\n`
}

/** The arguments that a unit of ours was made with; undefined for another's. */
export function unitArguments(text: string): string[] | undefined {
  const line = text.split('\n').find((one) => one.startsWith(ARGUMENTS))
  try {
    const args: unknown = JSON.parse(line?.slice(ARGUMENTS.length) ?? '')
    return Array.isArray(args) && args.every((arg) => typeof arg === 'string') ? args : undefined
  } catch {
    return undefined
  }
}

function execStart({ places, node, userConfig, args, certificate }: UnitOptions): string {
  const { scope, kind, command, program } = places
  const words = [node, program, command].map(unitWord)
  if (scope === 'user') words.push('--config', unitWord(userConfig))
  else words.push('--config', `\${CREDENTIALS_DIRECTORY}/${CREDENTIAL}`)
  if (scope === 'system' && kind === 'server') words.push('--state', `\${STATE_DIRECTORY}/relay.state`)
  words.push(...args.map(unitWord))
  if (certificate) {
    const folder = `/run/${places.name}`
    words.push('--certificate', `${folder}/certificate.pem`, '--private-key', `${folder}/private-key.pem`)
  }
  return words.join(' ')
}

const CREDENTIAL = 'enrolment.json'

/** The service has a user of its own that can read neither the enrolment nor a certificate's key: systemd gives it the one, root copies the other. */
function systemIdentity({ places, lowPorts, certificate }: UnitOptions): string[] {
  const { kind, name, config } = places
  const capability = lowPorts ? 'CAP_NET_BIND_SERVICE' : ''
  return [
    'DynamicUser=yes',
    `LoadCredential=${CREDENTIAL}:${config}`,
    ...(kind === 'server' ? ['StateDirectory=sallyport', 'StateDirectoryMode=0700'] : []),
    ...(certificate ? [`RuntimeDirectory=${name}`, 'RuntimeDirectoryMode=0700'] : []),
    `CapabilityBoundingSet=${capability}`,
    `AmbientCapabilities=${capability}`,
  ]
}

/** Made in a folder of root's and moved: what root wrote or handed over in the service's own folder, a taken relay could lead elsewhere by a link. */
function copyCertificate(
  line: 'ExecStartPre' | 'ExecReload',
  { name }: ServicePlaces,
  { certificate, privateKey }: { certificate: string; privateKey: string },
): string[] {
  const script = [
    `umask 077; cd /run/${name}; for file in certificate private-key;`,
    `do cp -- "$1" "$PWD.new"; chown --reference=. "$PWD.new"; mv -fT "$PWD.new" "$file.pem"; shift; done`,
  ].join(' ')
  const words = ['/bin/sh', '-ec', script, 'sh', certificate, privateKey].map(unitWord)
  return [`${line}=+${words.join(' ')}`]
}

/** What a network program in JavaScript does without. Memory that is written and then run is what a JIT compiler makes, so that stays allowed. */
const COMMON_SANDBOX = [
  'NoNewPrivileges=yes',
  'LockPersonality=yes',
  'RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK',
  'RestrictNamespaces=yes',
  'RestrictRealtime=yes',
  'RestrictSUIDSGID=yes',
  'SystemCallArchitectures=native',
  'SystemCallErrorNumber=EPERM',
  'SystemCallFilter=@system-service',
]

const SYSTEM_SANDBOX = [
  ...COMMON_SANDBOX,
  'SystemCallFilter=~@privileged',
  'DevicePolicy=closed',
  'KeyringMode=private',
  'PrivateDevices=yes',
  'PrivateTmp=yes',
  'ProcSubset=pid',
  'ProtectClock=yes',
  'ProtectControlGroups=yes',
  'ProtectHome=yes',
  'ProtectHostname=yes',
  'ProtectKernelLogs=yes',
  'ProtectKernelModules=yes',
  'ProtectKernelTunables=yes',
  'ProtectProc=invisible',
  'ProtectSystem=strict',
  'RemoveIPC=yes',
]

/** What needs no privileges of the user's own service manager. */
const USER_SANDBOX = COMMON_SANDBOX
