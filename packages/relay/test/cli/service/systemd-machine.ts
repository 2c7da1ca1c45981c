import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import { missingTool } from './missing-tool.js'

export interface Ended {
  /** Undefined when it did not end in time. */
  status: number | undefined
  output: string
}

/** A systemd of its own as process 1 of its own namespaces, over a copy of this machine's files that is thrown away. The network is this machine's. */
export interface SystemdMachine {
  /** Runs a shell script as root in there; its output, and how it ended. */
  run(script: string): Promise<Ended>
  /** A property of a unit. */
  show(unit: string, property: string): Promise<string>
  /** Waits until the property is so. */
  shows(unit: string, property: string, value: string | RegExp): Promise<void>
  /** Its files, seen from here. */
  root: string
}

const SYSTEMD = ['/usr/lib/systemd/systemd', '/lib/systemd/systemd'].find((path) => existsSync(path))
const DEADLINE_MS = 30_000
const RUN_MS = 120_000
const LOOK_AGAIN_MS = 50

/** Why there can be none here, or `false`. With CI the programs have to be there; what the kernel permits is the machine's affair. */
export function withoutSystemd(): string | false {
  const missing = missingTool('systemctl') ?? missingTool('nsenter')
  if (missing !== undefined) return missing
  const probe =
    'mount -t tmpfs tmpfs /mnt && mkdir /mnt/u /mnt/w /mnt/r && mount -t overlay -o lowerdir=/,upperdir=/mnt/u,workdir=/mnt/w overlay /mnt/r && mount -t cgroup2 cgroup2 /mnt/w && mkdir /mnt/w/probe && rmdir /mnt/w/probe'
  const { status, stderr } = spawnSync('unshare', ['--mount', '--pid', '--fork', '--cgroup', 'sh', '-c', probe], {
    encoding: 'utf8',
  })
  if (status === 0 && SYSTEMD !== undefined) return false
  return `systemd cannot be run in namespaces here (root is needed): ${stderr.trim()}`
}

/** Boots it with nothing but its journal. */
export async function bootSystemd(t: Test): Promise<SystemdMachine> {
  const base = await mkdtemp(join(tmpdir(), 'sallyport-systemd-'))
  const group = `sallyport-test-${randomBytes(4).toString('hex')}`
  // It ends with this process, whatever ends this.
  const command = ['--pdeathsig', 'KILL', 'unshare', '--mount', 'sh', '-ec', OUTER, 'sh', base, group, INNER]
  const outer = spawn('setpriv', [...command, SYSTEMD ?? ''], {
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
  })
  let said = ''
  outer.stderr.setEncoding('utf8').on('data', (text) => {
    said += text
  })
  t.teardown(async () => {
    await end(outer)
    // What its processes were accounted to is empty once the last of them has gone.
    spawnSync('unshare', ['--mount', 'sh', '-c', REMOVE_GROUP, 'sh', base, group])
    await rm(base, { recursive: true, force: true })
  })
  const run = (script: string): Promise<Ended> =>
    new Promise((resolve) => {
      const args = ['-t', childOf(outer) ?? 'none', '-a', '-r', '-w', 'sh', '-c', script]
      const child = execFile('nsenter', args, { timeout: RUN_MS }, (error, stdout, stderr) => {
        const status = error === null ? 0 : typeof error.code === 'number' ? error.code : undefined
        resolve({ status, output: `${stdout}${stderr}` })
      })
      child.stdin?.end()
    })
  const show = async (unit: string, property: string) =>
    (await run(`systemctl show -P ${property} ${unit}`)).output.trim()
  const isUp = async () => /^(running|degraded)/m.test((await run('systemctl is-system-running')).output)
  await eventually(isUp, 'the boot').catch((error: unknown) => {
    throw new Error(`systemd does not come up: ${said}`, { cause: error })
  })
  return {
    run,
    show,
    shows: (unit, property, value) =>
      eventually(async () => {
        const shown = await show(unit, property)
        return typeof value === 'string' ? shown === value : value.test(shown)
      }, `${property} of ${unit} to be ${value}`),
    root: `/proc/${childOf(outer)}/root`,
  }
}

export async function eventually(condition: () => Promise<boolean>, what: string): Promise<void> {
  const deadline = Date.now() + DEADLINE_MS
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`not in time: ${what}`)
    await sleep(LOOK_AGAIN_MS)
  }
}

function childOf({ pid }: ChildProcess): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')[0] || undefined
  } catch {
    return undefined
  }
}

async function end(outer: ChildProcess): Promise<void> {
  if (outer.exitCode !== null || outer.signalCode !== null) return
  const ended = new Promise((resolve) => outer.once('close', resolve))
  const pid = childOf(outer)
  if (pid !== undefined) process.kill(Number(pid), 'SIGKILL')
  outer.kill('SIGKILL')
  await ended
}

/** A control group of its own: systemd takes what it finds at the root of its hierarchy. */
const OUTER = `
base=$1 group=$2 inner=$3 systemd=$4
mount --make-rprivate /
mount -t tmpfs -o size=1g tmpfs "$base"
mkdir "$base/group" "$base/upper" "$base/work" "$base/root"
mount -t cgroup2 cgroup2 "$base/group"
mkdir "$base/group/$group"
echo $$ > "$base/group/$group/cgroup.procs"
umount "$base/group"
exec unshare --pid --mount --fork --ipc --uts --cgroup --kill-child sh -ec "$inner" sh "$base" "$systemd"
`

const INNER = `
base=$1 systemd=$2 root=$1/root
mount -t overlay -o "lowerdir=/,upperdir=$base/upper,workdir=$base/work" overlay "$root"
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys" || mount --bind /sys "$root/sys"
mount -t tmpfs tmpfs "$root/sys/fs/cgroup" || true
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
mount -t tmpfs tmpfs "$root/dev"
for device in null zero full random urandom tty; do touch "$root/dev/$device"; mount --bind "/dev/$device" "$root/dev/$device"; done
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
mount -t tmpfs tmpfs "$root/dev/shm"
mount -t tmpfs tmpfs "$root/run"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
units=$root/lib/systemd/system
rm -f "$units"/*.target.wants/* "$root"/etc/systemd/system/*.target.wants/* "$root"/etc/systemd/system/sallyport-* "$root"/etc/rc?.d/*
rm -rf "$root/etc/sallyport" "$root/usr/local/lib/sallyport"
mkdir -p "$units/sysinit.target.wants" "$units/sockets.target.wants"
ln -s ../systemd-journald.service "$units/sysinit.target.wants/"
ln -s ../systemd-journald.socket "$units/sockets.target.wants/"
: > "$root/etc/fstab"
cd "$root"
mkdir -p .before
pivot_root . .before
umount -l /.before
mount --make-rshared /
exec env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin SYSTEMD_PROC_CMDLINE=systemd.unified_cgroup_hierarchy=1 \
  "$systemd" --system --unit=multi-user.target --log-target=console --log-level=notice --show-status=no
`

const REMOVE_GROUP = `
mount -t cgroup2 cgroup2 "$1"
for try in 1 2 3 4 5 6 7 8 9 10; do
  find "$1/$2" -depth -type d -exec rmdir {} + 2>/dev/null && exit
  sleep 0.2
done
`
