import { inspect } from 'node:util'
import type { Secret } from '@c2m/plugin-api'

/** A value that shows itself only to who asks for it by name. */
export function secret(value: string): Secret {
  const hidden = () => '[secret]'
  return Object.defineProperties({} as Secret, {
    reveal: { value: () => value },
    toJSON: { value: hidden },
    toString: { value: hidden },
    [inspect.custom]: { value: hidden },
  })
}
