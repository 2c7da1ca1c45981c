import { existsSync, readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

export interface FakeSystemctl {
  /** For PATH. */
  folder: string
  /** What it was asked, but for `show` and `--version`. */
  calls(): string[]
  /** What `show` says: `ActiveState=active`. */
  shows(lines: string): Promise<void>
  /** Lets a verb fail, with these words on stderr and this effect. */
  refuses(verb: string, words: string, effect?: string): Promise<void>
}

/** A `systemctl` that writes down what it is asked. A start makes what it shows `active`. */
export async function createFakeSystemctl(home: string, version = 252): Promise<FakeSystemctl> {
  const folder = join(home, 'fake-bin')
  await mkdir(folder, { recursive: true })
  const script = `#!/bin/sh
here='${folder}'
[ -n "$SALLYPORT_TOKEN" ] && echo "token in the environment" >> "$here/calls"
while :; do case "$1" in --user|--no-pager|--no-ask-password) shift;; *) break;; esac; done
case "$1" in
  --version) echo "systemd ${version} (${version}.1)"; exit 0;;
  show) cat "$here/shown" 2>/dev/null; exit 0;;
esac
echo "$@" >> "$here/calls"
if [ -e "$here/refuse-$1" ]; then . "$here/refuse-$1"; exit 1; fi
case "$1" in
  start|restart)
    printf 'ActiveState=active\\nMainPID=100\\n' > "$here/shown"
    TZ=UTC date '+ExecMainStartTimestamp=%a %Y-%m-%d %H:%M:%S UTC' >> "$here/shown";;
  reload) sed -i "s/MainPID=.*/MainPID=$$/" "$here/shown";;
esac
exit 0
`
  await writeFile(join(folder, 'systemctl'), script, { mode: 0o755 })
  const log = join(folder, 'calls')
  return {
    folder,
    calls: () => (existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : []),
    shows: (lines) => writeFile(join(folder, 'shown'), `${lines}\n`),
    refuses: (verb, words, effect = '') =>
      writeFile(join(folder, `refuse-${verb}`), `echo '${words}' >&2\n${effect}\n`),
  }
}
