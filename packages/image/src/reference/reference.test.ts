import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseReference } from './reference.js'
import { familiarName, parseRegistryName, sameImage } from './registry-name.js'

const HEX = 'ab'.repeat(32)

describe('parseReference', () => {
  it.each([
    [
      'alpine:3.9',
      'bare',
      'alpine-3.9',
      { image: { registry: 'docker.io', repository: 'library/alpine', tag: '3.9' } },
    ],
    ['alpine', 'bare', 'alpine', { image: { registry: 'docker.io', repository: 'library/alpine' } }],
    ['docker.io/alpine', 'bare', 'alpine', { image: { registry: 'docker.io', repository: 'library/alpine' } }],
    ['index.docker.io/team/app', 'bare', 'app', { image: { registry: 'docker.io', repository: 'team/app' } }],
    [
      'localhost:5000/team/app:1.2',
      'bare',
      'app-1.2',
      { image: { registry: 'localhost:5000', repository: 'team/app', tag: '1.2' } },
    ],
    ['localhost/app', 'bare', 'app', { image: { registry: 'localhost', repository: 'app' } }],
    ['[::1]:5000/app:1', 'bare', 'app-1', { image: { registry: '[::1]:5000', repository: 'app', tag: '1' } }],
    [
      `app@sha256:${HEX}`,
      'bare',
      'app',
      { image: { registry: 'docker.io', repository: 'library/app', digest: `sha256:${HEX}` } },
    ],
    [
      `app:1@sha256:${HEX}`,
      'bare',
      'app-1',
      { image: { registry: 'docker.io', repository: 'library/app', tag: '1', digest: `sha256:${HEX}` } },
    ],
    [
      'docker://example.com/a/b:c',
      'docker',
      'b-c',
      { image: { registry: 'example.com', repository: 'a/b', tag: 'c' } },
    ],
    [
      'docker-daemon:alpine:3.9',
      'docker-daemon',
      'alpine-3.9',
      { image: { registry: 'docker.io', repository: 'library/alpine', tag: '3.9' } },
    ],
    [`docker-daemon:sha256:${HEX}`, 'docker-daemon', HEX.slice(0, 12), { image: { id: `sha256:${HEX}` } }],
    ['oci:/images/box', 'oci', 'box', { path: '/images/box', choice: {} }],
    ['oci:box:1.0', 'oci', 'box-1.0', { path: 'box', choice: { tag: '1.0' } }],
    ['oci:box:name:1.0', 'oci', 'box-name-1.0', { path: 'box', choice: { tag: 'name:1.0' } }],
    [`oci:box@sha256:${HEX}`, 'oci', 'box', { path: 'box', choice: { digest: `sha256:${HEX}` } }],
    ['oci:box:@1', 'oci', 'box', { path: 'box', choice: { index: 1 } }],
    ['oci:user@host/box', 'oci', 'box', { path: 'user@host/box', choice: {} }],
    ['oci-archive:a/box.tar:x', 'oci-archive', 'box-x', { path: 'a/box.tar', choice: { tag: 'x' } }],
    ['docker-archive:box.tar', 'docker-archive', 'box', { path: 'box.tar', choice: {} }],
    ['docker-archive:box.tar:@2', 'docker-archive', 'box', { path: 'box.tar', choice: { index: 2 } }],
    [
      'docker-archive:x.tar:box:1',
      'docker-archive',
      'box-1',
      { path: 'x.tar', choice: { name: { registry: 'docker.io', repository: 'library/box', tag: '1' } } },
    ],
    ['container:web_1', 'container', 'web_1', { container: 'web_1' }],
    ['dockerfile:./app', 'dockerfile', 'app', { path: './app' }],
    ['dockerfile:.', 'dockerfile', 'image', { path: '.' }],
    ['tarball:-', 'tarball', 'image', { path: '-' }],
    ['tarball:/a/root.tar.gz', 'tarball', 'root', { path: '/a/root.tar.gz' }],
    ['dir:/srv/root/', 'dir', 'root', { path: '/srv/root/' }],
    ['./box', 'bare', 'box', { path: './box' }],
    ['/a b/ö.tar', 'bare', 'image', { path: '/a b/ö.tar' }],
    ['box.tar.zst', 'bare', 'box', { path: 'box.tar.zst' }],
    ['.', 'bare', 'image', { path: '.' }],
  ])('%s', (text, transport, name, rest) => {
    expect(parseReference(text)).toEqual({ text, transport, name, ...rest })
  })

  it.each([
    ['', 'it is empty'],
    ['a\nb', 'control characters'],
    ['Alpine', 'upper-case'],
    ['alpine:', "'' is no valid tag"],
    ['alpine:3.9:1', "'3.9:1' is no valid tag"],
    ['a//b', 'a part of the name is empty'],
    ['localhost:99999/app', 'is not a host name'],
    ['[:::]/app', 'is not a host name'],
    ['docker:alpine', 'two slashes'],
    ['docker://', 'a part of the name is empty'],
    ['ocii:/x', "transport 'ocii:' is not known"],
    ['containers-storage:alpine', "transport 'containers-storage:' is not known"],
    ['https://example.com/x.tar', "transport 'https:' is not known"],
    ['oci:', 'a path is missing'],
    ['oci:box:', 'the tag after the colon is missing'],
    ['oci:box@sha256:zz', 'is no digest'],
    ['docker-archive::@1', 'a path is missing'],
    ['docker-archive:x:@one', 'no position'],
    ['container:', 'container is missing'],
    ['container:../../x', 'no container name'],
    ['tarball:', 'a path is missing'],
    ['app@sha256:../../x', 'no digest of the form'],
    ['app@md5:d41d8cd98f00b204e9800998ecf8427e', 'no digest of the form'],
    ['-x', 'no valid name'],
    ['a'.repeat(300), 'longer than 255'],
  ])('refuses %j', (text, why) => {
    const refused = () => parseReference(text)
    expect(refused).toThrow(why)
    expect(refused).toThrow(expect.objectContaining({ code: 'C2M_IMAGE_REFERENCE', exitCode: 2 }) as Error)
  })

  it('lists the transports for an unknown one', () => {
    try {
      parseReference('ostree:x')
      expect.unreachable()
    } catch (error) {
      expect((error as { hint: string }).hint).toMatch(/docker:\/\/NAME.*oci-archive:FILE.*dir:DIR/)
    }
  })

  it('fails on any text with one kind of error only, and gives safe file names', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.stringMatching(/^[a-z:/@.-]{0,30}$/)),
        (text) => {
          try {
            expect(parseReference(text).name).toMatch(/^(?![.-])[A-Za-z0-9._-]+$/)
          } catch (error) {
            expect((error as { code?: string }).code).toBe('C2M_IMAGE_REFERENCE')
          }
        },
      ),
      { numRuns: 60 },
    )
  })
})

describe('registry names', () => {
  it('reads its own familiar form back', () => {
    const part = fc.stringMatching(/^[a-z0-9]{1,8}$/)
    const name = fc.record({
      registry: fc.constantFrom('docker.io', 'localhost:5000', 'registry.example.com'),
      repository: fc.array(part, { minLength: 2, maxLength: 4 }).map((parts) => parts.join('/')),
      tag: fc.option(fc.stringMatching(/^[a-z0-9_][a-zA-Z0-9._-]{0,10}$/), { nil: undefined }),
    })
    fc.assert(
      fc.property(name, (image) => {
        expect(parseRegistryName(familiarName(image))).toEqual({ ...image })
      }),
    )
  })

  it('knows when two names mean one image', () => {
    const same = (a: string, b: string) => sameImage(parseRegistryName(a), parseRegistryName(b))
    expect(same('alpine', 'docker.io/library/alpine:latest')).toBe(true)
    expect(same('alpine:3.9', 'alpine')).toBe(false)
    expect(same('localhost/alpine', 'alpine')).toBe(false)
  })
})
