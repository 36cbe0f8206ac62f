import { describe, expect, it } from 'vitest'
import { c2mOk } from '../support/cli.js'
import { debian12 } from '../support/debian.js'

const FLAGS = [
  ...['--hostname', 'metal', '--network-manager', 'networkmanager', '--esp-size', '256M'],
  ...['--timezone', 'Asia/Shanghai', '--locale', 'de_DE.UTF-8', '--keyboard', 'de:nodeadkeys'],
]

describe('a real Debian tree', () => {
  it('is planned for a machine of metal as somebody has checked by hand', async () => {
    const image = `oci:${await debian12()}`
    const { stdout } = await c2mOk([
      'container2vm',
      image,
      '-o',
      'disk.img',
      '--target',
      'physical',
      '--dry-run',
      ...FLAGS,
    ])
    const lines = stdout
      .split('\n')
      // the image's digest is another wherever it is made
      .filter((line) => !line.startsWith('image '))
      // what is there only while packages are installed
      .filter((line) => !line.includes('temporary'))
    await expect(lines.join('\n')).toMatchFileSnapshot('debian-12-physical.txt')
  })
})
