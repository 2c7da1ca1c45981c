import { readdirSync, readFileSync } from 'node:fs'

/** Bytes resident of a program and all that it started. */
export function residentOf(pid) {
  const children = new Map()
  for (const entry of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    const parent = read(entry, /^PPid:\s+(\d+)/m)
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), Number(entry)])
  }
  const sum = (of) =>
    (read(of, /^VmRSS:\s+(\d+)/m) ?? 0) * 1_024 +
    (children.get(of) ?? []).reduce((total, child) => total + sum(child), 0)
  return sum(pid)
}

function read(pid, pattern) {
  try {
    const [, value] = pattern.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
    return value === undefined ? undefined : Number(value)
  } catch {
    return undefined
  }
}
