export type Transport = 'tcp' | 'udp' | 'both'

export interface Game {
  readonly name: string
  /** Where its server listens unless told otherwise. */
  readonly port: number
  readonly protocol: Transport
}

/** Servers that need one port only: a tunnel brings one number. */
export const games: readonly Game[] = [
  { name: 'Minecraft: Java Edition', port: 25565, protocol: 'tcp' },
  { name: 'Minecraft: Bedrock Edition', port: 19132, protocol: 'udp' },
  { name: 'Counter-Strike, Garry’s Mod, Team Fortress', port: 27015, protocol: 'both' },
  { name: 'Don’t Starve Together', port: 10999, protocol: 'udp' },
  { name: 'Factorio', port: 34197, protocol: 'udp' },
  { name: 'Luanti', port: 30000, protocol: 'udp' },
  { name: 'OpenTTD', port: 3979, protocol: 'both' },
  { name: 'Palworld', port: 8211, protocol: 'udp' },
  { name: 'Rust', port: 28015, protocol: 'udp' },
  { name: 'Terraria', port: 7777, protocol: 'tcp' },
  { name: 'Vintage Story', port: 42420, protocol: 'both' },
  { name: 'Xonotic', port: 26000, protocol: 'udp' },
  { name: 'Mumble', port: 64738, protocol: 'both' },
  { name: 'TeamSpeak 3', port: 9987, protocol: 'udp' },
  { name: 'Web server', port: 8080, protocol: 'tcp' },
]
