import { describe, expect, it } from 'vitest'
import { upstreamFor } from './upstream.js'

const http = (host: string, port = 80) => ({ protocol: 'http:' as const, host, port })
const https = (host: string, port = 443) => ({ protocol: 'https:' as const, host, port })

describe('the proxy of this host', () => {
  it('is taken by protocol, small letters first, with user and password', () => {
    const env = { http_proxy: 'http://u%40x:p%3A@proxy:3128/', HTTP_PROXY: 'http://other', HTTPS_PROXY: 'tls.example' }
    expect(upstreamFor(http('a'), env)).toEqual({
      protocol: 'http:',
      host: 'proxy',
      port: 3128,
      authorization: `Basic ${Buffer.from('u@x:p:').toString('base64')}`,
    })
    expect(upstreamFor(https('a'), env)).toEqual({
      protocol: 'http:',
      host: 'tls.example',
      port: 80,
      authorization: undefined,
    })
    expect(upstreamFor(https('a'), { all_proxy: 'https://[2001:db8::1]' })).toMatchObject({
      host: '2001:db8::1',
      port: 443,
    })
    expect(upstreamFor(http('a'), { all_proxy: 'socks5://x' })).toBeUndefined()
    expect(upstreamFor(http('a'), { http_proxy: 'http://%' })).toBeUndefined()
  })

  it.each([
    ['*', 'x', 80, true],
    ['example.org', 'example.org', 80, true],
    ['example.org', 'a.example.org', 80, true],
    ['.example.org, b', 'a.example.org', 80, true],
    ['*.example.org', 'a.example.org', 80, true],
    ['example.org', 'notexample.org', 80, false],
    ['example.org:8080', 'example.org', 80, false],
    ['example.org:8080', 'EXAMPLE.org', 8080, true],
    ['', 'x', 80, false],
  ] as const)('is not asked when no_proxy is %j, for %s:%d: %s', (list, host, port, exempt) => {
    const found = upstreamFor(http(host, port), { http_proxy: 'http://p', no_proxy: list })
    expect(found === undefined).toBe(exempt)
  })
})
