import { describe, expect, it } from 'vitest'
import { imageOf, warnings } from '../testing/new-image.js'
import { parseDestination } from './destination.js'
import { encodeDockerfile } from './dockerfile.js'
import { nextCommand } from './next-command.js'
import { blobHeader } from './tar-header.js'

describe('parseDestination', () => {
  it('knows every form', () => {
    expect(parseDestination('docker-archive:x.tar')).toEqual({ transport: 'docker-archive', path: 'x.tar' })
    expect(parseDestination('./x.docker.tar')).toEqual({ transport: 'docker-archive', path: './x.docker.tar' })
    expect(parseDestination('docker-archive:-:app')).toMatchObject({ path: '-', name: { tag: 'latest' } })
    expect(parseDestination('oci:dir:1.0')).toEqual({ transport: 'oci', path: 'dir', ref: '1.0' })
    expect(parseDestination('docker://localhost:5000/a/b')).toMatchObject({
      transport: 'docker',
      image: { registry: 'localhost:5000', repository: 'a/b', tag: 'latest' },
    })
    expect(parseDestination('tarball:-')).toEqual({ transport: 'tarball', path: '-' })
  })

  it.each([
    'alpine',
    './folder',
    'x.tar.gz',
    'dir:x',
    'container:x',
    'oci:x:@1',
    'docker-archive:x:@0',
    `docker://h.io/a@sha256:${'1'.repeat(64)}`,
    `docker-daemon:${'1'.repeat(64)}`,
  ])('refuses %s', (text) => {
    expect(() => parseDestination(text)).toThrow(
      expect.objectContaining({ code: 'C2M_IMAGE_DESTINATION', exitCode: 2 }) as Error,
    )
  })
})

describe('encodeDockerfile', () => {
  it('quotes values, and leaves out with a warning what it cannot say', () => {
    const { said, reporter } = warnings()
    const config = {
      env: ['A=x "y" $z \\', 'BAD=a\nb', 'E R=1'],
      entrypoint: ['/bin/a b', 'line\nbreak'],
      cmd: [],
      exposedPorts: ['81/udp', '80/tcp'],
      labels: { 'a b': "it's" },
      workingDir: '/a b/$c',
      user: 'me',
    }
    const text = encodeDockerfile(imageOf([new Uint8Array()], { config, volumes: ['/v $x'] }), 'img.tar', reporter)
    expect(text.split('\n')).toEqual([
      'FROM scratch',
      'ADD img.tar /',
      String.raw`ENV A="x \"y\" \$z \\"`,
      `LABEL "a b"="it's"`,
      'EXPOSE 80/tcp 81/udp',
      String.raw`VOLUME ["/v \\$x"]`,
      String.raw`WORKDIR /a b/\$c`,
      'USER me',
      String.raw`ENTRYPOINT ["/bin/a b","line\nbreak"]`,
      '',
    ])
    expect(said).toHaveLength(2)
  })
})

describe('nextCommand', () => {
  it('can be pasted into a shell', () => {
    const image = imageOf([new Uint8Array()])
    expect(nextCommand(parseDestination('docker-archive:my vm.tar'), image, [])).toBe("docker load -i 'my vm.tar'")
    expect(nextCommand(parseDestination('tarball:x.tar'), image, [])).toBe(
      `docker import --change 'CMD ["/bin/sh"]' x.tar image`,
    )
    expect(nextCommand(parseDestination('docker://h.io/a:1'), image, [])).toBe('docker run --rm -it h.io/a:1')
  })
})

describe('blobHeader', () => {
  it('takes 8 GiB and more', () => {
    const header = Buffer.from(blobHeader('blobs/x', 8 ** 11))
    expect(header.subarray(124, 136).toString('hex')).toBe('800000000000000200000000')
    expect(header.subarray(257, 265).toString()).toBe('ustar  \0')
    expect(
      Buffer.from(blobHeader('blobs/x', 8 ** 11 - 1))
        .subarray(124, 136)
        .toString(),
    ).toBe('77777777777\0')
  })
})
