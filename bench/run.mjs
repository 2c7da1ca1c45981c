// npm run bench [-- NAME…]: what is measured goes by its first word. `auth…` is signing in, `gateway…` a panel with many agents,
// `start` the command's start, `dashboard` the first page, everything else the relay and its agent; `--help` names it.
const words = process.argv.slice(2)
const [, area] = words.join(' ').match(/(?:^| )(auth|gateway|start|dashboard)/) ?? []
await import(area ? `./${area}.mjs` : './data-plane.mjs')
process.exit()
