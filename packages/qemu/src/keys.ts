export type KeyCommand = 'leave' | 'power' | 'help'

const PREFIX = 0x01
const COMMANDS: Readonly<Record<string, KeyCommand>> = { x: 'leave', p: 'power', h: 'help', '?': 'help' }

/** Finds the commands that begin with Ctrl-a in what is typed; Ctrl-a a, or Ctrl-a twice, types one Ctrl-a. */
export class KeyReader {
  #prefixed = false

  read(chunk: Uint8Array): { data: Uint8Array; commands: KeyCommand[] } {
    const data: number[] = []
    const commands: KeyCommand[] = []
    for (const byte of chunk) {
      if (!this.#prefixed) {
        if (byte === PREFIX) this.#prefixed = true
        else data.push(byte)
        continue
      }
      this.#prefixed = false
      const key = String.fromCharCode(byte)
      const command = Object.hasOwn(COMMANDS, key) ? COMMANDS[key] : undefined
      if (command !== undefined) commands.push(command)
      else if (byte === PREFIX || key === 'a') data.push(PREFIX)
      else data.push(PREFIX, byte)
    }
    return { data: Uint8Array.from(data), commands }
  }
}
