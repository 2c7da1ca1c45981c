import { useState } from 'preact/hooks'
import { Field, TextField } from '../ui/form.js'
import { type Game, games } from './games.js'

/** The game, which says port and protocol, or just the port. */
export function GameFields({ onGame }: { onGame: (game: Game) => void }) {
  const [port, setPort] = useState('')
  const choose = (name: string) => {
    const game = games.find((one) => one.name === name)
    if (!game) return
    setPort(String(game.port))
    onGame(game)
  }
  return (
    <div class="fields game">
      <Field label="Game" name="game" hint="Fills in its usual port and protocol.">
        {(control) => (
          <select {...control} onChange={({ currentTarget }) => choose(currentTarget.value)}>
            <option value="">Other</option>
            {games.map(({ name }) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        )}
      </Field>
      <TextField
        label="Port"
        name="localPort"
        hint="Where the game server listens."
        type="number"
        inputMode="numeric"
        min={1}
        max={65_535}
        step={1}
        required
        placeholder="25565"
        value={port}
        onInput={({ target }) => setPort((target as HTMLInputElement).value)}
      />
    </div>
  )
}
