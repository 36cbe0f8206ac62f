import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { parseExecLine, substituteVariables } from '../systemd/exec-line.js'
import { entrypointWith } from './entrypoint.js'

const LATER = new Set(['PASSWORD', 'OPTS'])
const argvOf = (line: string, later = LATER) =>
  substituteVariables(parseExecLine(line)[0]!, new Map([['A', '1']]), later)

/** What the program is given when a container starts. */
function run(entrypoint: readonly string[], env: Record<string, string>, ...more: string[]): readonly string[] {
  const [program = '', ...args] = entrypoint
  return execFileSync(program, [...args, ...more], { env, encoding: 'utf8', stdio: 'pipe' })
    .split('\n')
    .slice(0, -1)
}

describe('entrypointWith', () => {
  const argv = argvOf(`/usr/bin/printf '%%s\\n' --password=\${PASSWORD}-\${A} "it's $A" $OPTS`.replace('%%', '%'))

  it('has a shell only where one is needed', () => {
    expect(entrypointWith([], argvOf('/bin/app ${PASSWORD}', new Set()))).toEqual(['/bin/app', ''])
    expect(entrypointWith([], argv).slice(0, 2)).toEqual(['/bin/sh', '-c'])
    expect(entrypointWith([{ argv: ['/bin/true'], ignoresFailure: false }], ['/bin/app'])).toEqual([
      ...['/bin/sh', '-c', 'set -e\n/bin/true\nexec "$@"', 'sh'],
      '/bin/app',
    ])
  })

  it('leaves variables to the container, as words that nothing splits or expands further', () => {
    const env = { PASSWORD: 'two words; $(id) `id`', OPTS: '-v  /*' }
    expect(run(entrypointWith([], argv), env, 'more')).toEqual([
      ...['--password=two words; $(id) `id`-1', "it's $A", '-v', '/*', 'more'],
    ])
  })

  it('says what is missing', () => {
    expect(() => run(entrypointWith([], argv), { OPTS: '' })).toThrow(/PASSWORD: give it with --env/)
    const before = [{ argv: argvOf('/usr/bin/printf ${OPTS}'), ignoresFailure: true }]
    expect(() => run(entrypointWith(before, ['/bin/true']), {})).toThrow(/OPTS: give it with --env/)
    expect(run(entrypointWith(before, ['/usr/bin/printf', 'x\\n']), { OPTS: 'a\n' })).toEqual(['a', 'x'])
  })
})
