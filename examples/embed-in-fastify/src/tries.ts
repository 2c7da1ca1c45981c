/** What to try once the panel runs, for a shell; each step builds on those before. */
export function tries(url: string): string {
  const json = `-H 'content-type: application/json'`
  const field = (path: string): string => `node -pe 'JSON.parse(require("fs").readFileSync(0)).${path}'`
  return `
# Grace, a customer, signs in with the password that her account has always had, and sees her servers.
PANEL=${url}
curl -s -w '\\n' -c grace.cookies $PANEL/api/auth/login ${json} -d '{"email":"grace@example.com","password":"correct horse battery staple"}'
curl -s -w '\\n' -b grace.cookies $PANEL/servers

# She restarts one of them, and none of Linus's: to her there is no such server.
curl -s -w '\\n' -b grace.cookies -X POST $PANEL/servers/1/restart
curl -s -w '\\n' -b grace.cookies -X POST $PANEL/servers/3/restart

# Her machine at home wants to be let in, and Ada, an admin, does so.
CODE=$(curl -s -b grace.cookies $PANEL/api/tunnel/device/start ${json} -d '{"name":"grace-at-home"}' | ${field('userCode')})
curl -s -w '\\n' -c ada.cookies $PANEL/api/auth/login ${json} -d '{"email":"ada@example.com","password":"correct horse battery staple"}'
DEVICE=$(curl -s -b ada.cookies $PANEL/api/tunnel/device/approve ${json} -d "{\\"userCode\\":\\"$CODE\\"}" | ${field('device.id')})

# Players reach her Minecraft server through a tunnel. One to port 22 is refused: no server of hers is there.
curl -s -w '\\n' -b grace.cookies $PANEL/api/tunnel/allocations ${json} -d "{\\"deviceId\\":\\"$DEVICE\\",\\"localPort\\":25565,\\"protocol\\":\\"tcp\\"}"
curl -s -w '\\n' -b grace.cookies $PANEL/api/tunnel/allocations ${json} -d "{\\"deviceId\\":\\"$DEVICE\\",\\"localPort\\":22,\\"protocol\\":\\"tcp\\"}"
`.trim()
}
