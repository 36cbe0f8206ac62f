import type { Step } from '@c2m/plugin-api'
import { editText } from '../files/write.js'

/** hostname(7): labels of letters, digits and '-', with dots between them; Linux takes 64 characters. @throws when it is none */
export function checkHostname(name: string): string {
  const label = '[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?'
  if (name.length <= 64 && new RegExp(`^${label}(?:\\.${label})*$`).test(name)) return name
  throw new Error(
    `'${name}' is no host name: take letters, digits and '-', and dots between parts, 64 characters at most`,
  )
}

const FIXED = [
  '127.0.0.1\tlocalhost',
  '::1\tlocalhost ip6-localhost ip6-loopback',
  'ff02::1\tip6-allnodes',
  'ff02::2\tip6-allrouters',
]

/** hosts(5) with the machine's own name, so that it is known without a name server; the image's other lines stay. */
export function hosts(image: string, hostname: string): string {
  checkHostname(hostname)
  const short = hostname.split('.')[0] ?? hostname
  const names = short === hostname ? [hostname] : [hostname, short]
  const own = hostname === 'localhost' ? [] : [`127.0.1.1\t${names.join(' ')}`]
  const [local = '', ...ipv6] = FIXED
  const kept = image.split('\n').filter((line) => {
    const address = line.trim().split(/\s+/)[0] ?? ''
    return (
      address !== '' && !['127.0.0.1', '127.0.1.1', '::1', 'fe00::0', 'ff00::0', 'ff02::1', 'ff02::2'].includes(address)
    )
  })
  return `${[local, ...own, '', ...ipv6, ...kept].join('\n')}\n`
}

export function hostnameSteps(owner: string, hostname: string): readonly Step[] {
  checkHostname(hostname)
  return [
    {
      id: `${owner}/hostname`,
      title: `write /etc/hostname: ${hostname}`,
      phase: 'configure',
      do: 'write',
      path: '/etc/hostname',
      mode: 0o644,
      content: `${hostname}\n`,
    },
    {
      id: `${owner}/hosts`,
      title: 'write /etc/hosts',
      phase: 'configure',
      do: 'custom',
      run: ({ rootfs }) => editText(rootfs, 'etc/hosts', (text) => hosts(text, hostname)),
    },
  ]
}
