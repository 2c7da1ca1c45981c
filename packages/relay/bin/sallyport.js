#!/usr/bin/env node
// A file of its own, there before the build, so that npm can link the command when it installs a fresh clone.
import '../dist/cli/main.js'
