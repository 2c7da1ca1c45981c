import { definePlugin, type Plugin, type ServiceToken } from '../../dist/index.js'

/** A plugin that only requires a service, so that whoever provides it by default is started. */
export function needs(...tokens: ServiceToken<unknown>[]): Plugin {
  return definePlugin({
    name: 'test-needs',
    version: '1.0.0',
    requires: Object.fromEntries(tokens.map((token, index) => [`service${index}`, token])),
    setup() {},
  })()
}
