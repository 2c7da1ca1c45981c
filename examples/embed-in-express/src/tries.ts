/** What to try once the panel runs, for a shell; each step builds on those before. */
export function tries(url: string): string {
  const json = `-H 'content-type: application/json'`
  const field = (path: string): string => `node -pe 'JSON.parse(require("fs").readFileSync(0)).${path}'`
  return `
# Grace signs in with the password that she has always had. The panel's own routes know her then.
PANEL=${url}
curl -s -w '\\n' -c grace.cookies $PANEL/sallyport/api/auth/login ${json} -d '{"email":"grace@example.com","password":"correct horse battery staple"}'
curl -s -w '\\n' -b grace.cookies $PANEL/me
curl -s -w '\\n' -b grace.cookies $PANEL/consoles
curl -s -w '\\n' $PANEL/me

# Her machine at home wants to be let in, and Ada, an administrator, does so.
CODE=$(curl -s -b grace.cookies $PANEL/sallyport/api/tunnel/device/start ${json} -d '{"name":"grace-at-home"}' | ${field('userCode')})
curl -s -w '\\n' -c ada.cookies $PANEL/sallyport/api/auth/login ${json} -d '{"email":"ada@example.com","password":"correct horse battery staple"}'
DEVICE=$(curl -s -b ada.cookies $PANEL/sallyport/api/tunnel/device/approve ${json} -d "{\\"userCode\\":\\"$CODE\\"}" | ${field('device.id')})

# Players reach her Minecraft server through a tunnel.
curl -s -w '\\n' -b grace.cookies $PANEL/sallyport/api/tunnel/allocations ${json} -d "{\\"deviceId\\":\\"$DEVICE\\",\\"localPort\\":25565,\\"protocol\\":\\"tcp\\"}"
`.trim()
}
