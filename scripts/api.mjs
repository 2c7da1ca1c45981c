// Holds every package's public API against its report in etc/<package>.api.md: node scripts/api.mjs [--update]
import { existsSync, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Extractor, ExtractorConfig } from '@microsoft/api-extractor'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const update = process.argv.includes('--update')
const entries = [
  ...['core', 'relay', 'auth', 'tunnel'].flatMap((name) => [
    { name, entry: 'index', report: `${name}.api.md` },
    { name, entry: 'testing/index', report: `${name}-testing.api.md` },
  ]),
  // What is made of the panel's API (client/openapi) is held by scripts/client.mjs.
  { name: 'relay', entry: 'client/index', report: 'relay-client.api.md' },
]

mkdirSync(join(root, 'etc'), { recursive: true })
for (const { name, entry, report } of entries) {
  const folder = join(root, 'packages', name)
  const mainEntryPointFilePath = join(folder, 'dist', `${entry}.d.ts`)
  if (!existsSync(mainEntryPointFilePath)) continue
  const config = ExtractorConfig.prepare({
    configObjectFullPath: undefined,
    packageJsonFullPath: join(folder, 'package.json'),
    configObject: {
      projectFolder: folder,
      mainEntryPointFilePath,
      compiler: { tsconfigFilePath: join(folder, 'tsconfig.json') },
      newlineKind: 'lf',
      apiReport: {
        enabled: true,
        reportFileName: report,
        reportFolder: join(root, 'etc'),
        reportTempFolder: join(folder, 'dist', 'api'),
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      messages: {
        compilerMessageReporting: { default: { logLevel: 'none' } },
        // Release tags are not used: whatever a public entry exports is public, and so is what its types are made of.
        extractorMessageReporting: {
          default: { logLevel: 'warning' },
          'ae-missing-release-tag': { logLevel: 'none' },
          'ae-forgotten-export': { logLevel: 'none' },
        },
        tsdocMessageReporting: { default: { logLevel: 'none' } },
      },
    },
  })
  const result = Extractor.invoke(config, { localBuild: update, messageCallback: quiet })
  // Not `succeeded`: that counts warnings, such as that the extractor's TypeScript is not the newest.
  if (result.errorCount > 0 || (result.apiReportChanged && !update)) {
    process.exitCode = 1
    console.error(`etc/${report}: the public API of @sallyport/${name} is not as reported; npm run api:update`)
  } else console.log(`etc/${report}: ${result.apiReportChanged ? 'updated' : 'as reported'}`)
}

function quiet(message) {
  if (message.logLevel !== 'error') message.handled = true
}
