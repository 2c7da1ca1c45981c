#!/usr/bin/env node
// A file of its own, there before the build, so that npm can link the command when it installs a fresh clone.
const [major, minor] = process.versions.node.split('.').map(Number)
if (major > 20 || (major === 20 && minor >= 19)) import('../dist/cli/main.js')
else {
  console.error(`error: sallyport needs Node.js 20.19 or newer, this is ${process.versions.node}`)
  process.exitCode = 1
}
