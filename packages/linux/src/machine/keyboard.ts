export interface Keyboard {
  /** E.g. 'de', 'us'. */
  readonly layout: string
  /** E.g. 'nodeadkeys'. */
  readonly variant?: string
}

/** 'LAYOUT' or 'LAYOUT:VARIANT', by the names of whatever the distro has keymaps from. @throws when it cannot be one */
export function parseKeyboard(text: string): Keyboard {
  const parts = /^([a-z]{2,20})(?::([A-Za-z0-9][A-Za-z0-9_-]{0,30}))?$/.exec(text)
  if (parts === null) throw new Error(`'${text}' is no keyboard layout; write it like de or de:nodeadkeys`)
  const [, layout = '', variant] = parts
  return { layout, ...(variant === undefined ? {} : { variant }) }
}
