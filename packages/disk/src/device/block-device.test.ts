import { describe, expect, it } from 'vitest'
import { fakeHost, type FakeHost } from '../testing/fake-host.js'
import { temporaryFolder } from '../testing/temporary.js'
import { readBlockDevice, type BlockDevice } from './block-device.js'
import { checkDevice, describeDevice } from './check-device.js'

const GIB = 2 ** 30
const DISK = {
  dev: '8:0',
  size: String((32 * GIB) / 512),
  ro: '0',
  'queue/logical_block_size': '512',
  'device/model': 'Ultra  \u0007',
}
const SDA = 'pci0/host0/block/sda'
const partition = (number: number, more: Readonly<Record<string, string>> = {}) => ({
  [`${SDA}/sda${number}`]: { dev: `8:${number}`, size: '2048', ro: '0', partition: String(number), ...more },
})

async function read(host: FakeHost, number = '8:0', path = '/dev/sda'): Promise<BlockDevice> {
  await using folder = await temporaryFolder()
  return await readBlockDevice(path, number, await fakeHost(folder.path, host))
}

function refusal(device: BlockDevice): unknown {
  try {
    checkDevice(device)
  } catch (error) {
    return error
  }
  return undefined
}

const mountOn = (number: string, target: string, source: string) =>
  `36 35 ${number} / ${target} rw,noatime shared:1 - ext4 ${source} rw`

describe('a block device', () => {
  it('has a name, a size, and what it says of itself', async () => {
    const device = await read({
      devices: { [SDA]: DISK },
      udev: { 'b8:0': 'S:disk/by-id/x\nE:ID_SERIAL_SHORT=4C53\n' },
    })
    expect(device).toEqual({
      path: '/dev/sda',
      name: 'sda',
      number: '8:0',
      size: 32 * GIB,
      sectorSize: 512,
      readOnly: false,
      model: 'Ultra',
      serial: '4C53',
      uses: [],
    })
    expect(describeDevice(device)).toBe('/dev/sda (Ultra, serial 4C53, 32.0 GiB)')
    expect(refusal(device)).toBeUndefined()
  })

  it('has no empty words for itself', async () => {
    const silent = { ...DISK, serial: '', 'device/model': ' \u0007 ', 'device/serial': 'S1' }
    const device = await read({ devices: { [SDA]: silent } })
    expect(device).toMatchObject({ serial: 'S1' })
    expect(device).not.toHaveProperty('model')
  })

  it('may be used by nobody but a bystander', async () => {
    const host = { devices: { [SDA]: DISK, ...partition(1) }, swaps: 'Filename Type\n/dev/sdb2 partition 1 0 -2' }
    const mountinfo = [mountOn('8:17', '/', '/dev/sdb1'), mountOn('0:21', '/proc', 'proc')].join('\n')
    expect((await read({ ...host, mountinfo })).uses).toEqual([])
  })
})

describe.each<[string, FakeHost, code: string, RegExp]>([
  [
    'mounted itself',
    { devices: { [SDA]: DISK }, mountinfo: mountOn('8:0', '/mnt/my\\040stick', '/dev/sda') },
    'C2M_DEVICE_IN_USE',
    /is in use: sda is mounted on \/mnt\/my stick$/,
  ],
  [
    'with a mounted partition',
    { devices: { [SDA]: DISK, ...partition(1) }, mountinfo: mountOn('8:1', '/srv', '/dev/sda1') },
    'C2M_DEVICE_IN_USE',
    /sda1 is mounted on \/srv/,
  ],
  [
    'with a mounted btrfs, whose number is none of the device',
    { devices: { [SDA]: DISK, ...partition(2) }, mountinfo: mountOn('0:44', '/data', '/dev/sda2') },
    'C2M_DEVICE_IN_USE',
    /sda2 is mounted on \/data/,
  ],
  [
    'with swap',
    { devices: { [SDA]: DISK, ...partition(3) }, swaps: 'Filename\t\tType\n/dev/sda3   partition 1024 0 -2\n' },
    'C2M_DEVICE_IN_USE',
    /sda3 is a swap area/,
  ],
  [
    'below LVM, MD or LUKS',
    {
      devices: {
        [SDA]: DISK,
        ...partition(1, { 'holders/md0/x': '' }),
        ...partition(2, { 'holders/dm-0/x': '' }),
        'virtual/block/dm-0': { dev: '253:0', 'dm/name': 'vg0-data' },
        'virtual/block/md0': { dev: '9:0' },
      },
    },
    'C2M_DEVICE_IN_USE',
    /sda1 is a part of md0, sda2 is a part of vg0-data$/,
  ],
  [
    'that the system runs from, through two layers',
    {
      devices: {
        [SDA]: DISK,
        ...partition(2, { 'holders/dm-0/x': '' }),
        'virtual/block/dm-0': { dev: '253:0', 'dm/name': 'crypt', 'holders/dm-1/x': '' },
        'virtual/block/dm-1': { dev: '253:1', 'dm/name': 'vg0-root' },
      },
      mountinfo: mountOn('253:1', '/', '/dev/mapper/vg0-root'),
    },
    'C2M_DEVICE_SYSTEM',
    /the disk that this system runs from: .*dm-1 is mounted on \/$/,
  ],
  ['that is read-only', { devices: { [SDA]: { ...DISK, ro: '1' } } }, 'C2M_DEVICE_READ_ONLY', /is read-only/],
  ['without a medium', { devices: { [SDA]: { ...DISK, size: '0' } } }, 'C2M_DEVICE_EMPTY', /\/dev\/sda has no medium/],
  [
    'with large sectors',
    { devices: { [SDA]: { ...DISK, 'queue/logical_block_size': '4096' } } },
    'C2M_DEVICE_SECTORS',
    /sectors of 4096 bytes/,
  ],
])('a device %s', (_, host, code, message) => {
  it(`is refused: ${code}`, async () => {
    expect(refusal(await read(host))).toMatchObject({
      code,
      message: expect.stringMatching(message) as string,
      exitCode: 2,
    })
  })
})

describe('a partition', () => {
  it('is refused with the name of its disk', async () => {
    const device = await read({ devices: { [SDA]: DISK, ...partition(1) } }, '8:1', '/dev/sda1')
    expect(device).toMatchObject({ name: 'sda1', partitionOf: 'sda', sectorSize: 512, model: 'Ultra' })
    expect(refusal(device)).toMatchObject({
      code: 'C2M_DEVICE_PARTITION',
      hint: expect.stringContaining('/dev/sda,') as string,
    })
  })
})
