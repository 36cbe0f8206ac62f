import { describe, expect, it } from 'vitest'
import { parseEnvironment, parseEnvironmentFile } from './environment.js'
import { parseExecLine, substituteVariables } from './exec-line.js'
import { expandSpecifiers } from './specifiers.js'
import { parseUnitFile } from './unit-file.js'
import { unescapeUnitName } from './unit-name.js'

const context = {
  unit: 'foo-bar@a-b\\x2dc.service',
  fragment: '/usr/lib/systemd/system/foo-bar@.service',
  architecture: 'x86-64',
  hostname: 'box.example',
  osRelease: new Map([['ID', 'debian']]),
}
const expand = (text: string) => expandSpecifiers(text, context)
const variables = new Map([
  ['ONE', 'one'],
  ['TWO', 'two two'],
  ['QUOTED', `a 'b c' "d"`],
  ['OPEN', `it's`],
  ['EMPTY', ''],
])

describe('an Exec line', () => {
  // the examples of systemd.service(5) and systemd.syntax(7), and what extract-word.c does
  it.each<[string, readonly (readonly string[])[]]>([
    ['/bin/echo one two', [['/bin/echo', 'one', 'two']]],
    [
      '/bin/echo one ; /bin/echo "two two"',
      [
        ['/bin/echo', 'one'],
        ['/bin/echo', 'two two'],
      ],
    ],
    ['/bin/echo / >/dev/null & \\; /bin/ls', [['/bin/echo', '/', '>/dev/null', '&', ';', '/bin/ls']]],
    [`/bin/echo 'a "b"' "c 'd'" e"f g"h`, [['/bin/echo', 'a "b"', "c 'd'", 'ef gh']]],
    ['/bin/echo \\x41\\102\\u00e9\\s\\t. "\\"\\\\"', [['/bin/echo', 'ABé \t.', '"\\']]],
    ['/bin/echo \\d \\xZZ', [['/bin/echo', '\\d', '\\xZZ']]],
    ['/bin/echo $ONE $TWO ${TWO}', [['/bin/echo', 'one', 'two', 'two', 'two two']]],
    ['/bin/echo $QUOTED $OPEN', [['/bin/echo', 'a', 'b c', 'd', "it's"]]],
    ['/bin/echo $EMPTY $UNSET x${UNSET}y "$ONE"', [['/bin/echo', 'xy', 'one']]],
    ['/bin/echo $$ONE x$ONE ${ONE}x $${ONE} a$$', [['/bin/echo', '$ONE', 'x$ONE', 'onex', '${ONE}', 'a$']]],
    [':/bin/echo $ONE', [['/bin/echo', '$ONE']]],
    ['@/bin/echo name x', [['/bin/echo', 'x']]],
    ['$ONE x', [['$ONE', 'x']]],
    ['/bin/%p %i "%I" %%', [['/bin/foo-bar', 'a-b\\x2dc', 'a/b-c', '%']]],
    ['', []],
    ['-', []],
  ])('%s', (line, expected) => {
    expect(parseExecLine(line, expand).map((command) => substituteVariables(command, variables))).toEqual(expected)
  })

  it.each([
    ['-/x', { ignoresFailure: true, asRoot: false }],
    ['+/x', { ignoresFailure: false, asRoot: true }],
    ['-!/x', { ignoresFailure: true, asRoot: true }],
    ['!!/x', { ignoresFailure: false, asRoot: false }],
  ])('knows the prefix of %s', (line, expected) => {
    expect(parseExecLine(line)[0]).toMatchObject({ ...expected, argv: ['/x'] })
  })

  it('says when a quote is left open', () => {
    expect(() => parseExecLine('/bin/echo "x')).toThrow(/left open/)
  })
})

describe('specifiers', () => {
  it.each([
    ['%n', 'foo-bar@a-b\\x2dc.service'],
    ['%N', 'foo-bar@a-b\\x2dc'],
    ['%p %P %j', 'foo-bar foo/bar bar'],
    ['%i %I %f', 'a-b\\x2dc a/b-c /a/b-c'],
    ['%t %S %C %L %E %T %V', '/run /var/lib /var/cache /var/log /etc /tmp /var/tmp'],
    ['%u %U %g %G %h', 'root 0 root 0 /root'],
    ['%H %l %o %a', 'box.example box debian x86-64'],
    ['%Y', '/usr/lib/systemd/system'],
    ['%%i %z 100%', '%i %z 100%'],
  ])('%s', (text, expected) => expect(expand(text)).toBe(expected))

  it('says which only a running machine has', () => {
    for (const text of ['%m', '%b', '%v']) expect(() => expand(text)).toThrow(/running machine/)
  })

  it('unescapes names', () => {
    expect(unescapeUnitName('dev-disk\\x2dby-\\xc3\\xa9')).toBe('dev/disk-by/é')
  })
})

describe('environment', () => {
  it('is read from Environment= as systemd.exec(5) has it', () => {
    const found = parseEnvironment(`"VAR1=word1 word2" VAR2=word3 "VAR3=$word 5 6" bad 1x=y P=%i`, expand)
    expect([...found]).toEqual([
      ['VAR1', 'word1 word2'],
      ['VAR2', 'word3'],
      ['VAR3', '$word 5 6'],
      ['P', 'a-b\\x2dc'],
    ])
  })

  it('is read from files', () => {
    const text = `# a=1
; b=2
A=plain words  
B='single $X "q"'
C="double \\"q\\" \\$X \\n"
D=one\\
two
E="over
lines"
F=a'b'c
export G=1
  H = 3
I=
J="x"y
K=a\\ b
L=last`
    expect(Object.fromEntries(parseEnvironmentFile(text))).toEqual({
      A: 'plain words',
      B: 'single $X "q"',
      C: 'double "q" $X \\n',
      D: 'onetwo',
      E: 'over\nlines',
      F: "a'b'c",
      H: '3',
      I: '',
      J: 'xy',
      K: 'a b',
      L: 'last',
    })
  })
})

describe('drop-ins', () => {
  it('clear lists and replace values', () => {
    const unit = parseUnitFile(
      '[Service]\nExecStart=/a\nType=forking',
      '[Service]\nExecStart=\nExecStart=/b\nType=exec\n',
      'Type=x',
    )
    expect(unit.get('Service')?.get('ExecStart')).toEqual(['/b'])
    expect(unit.get('Service')?.get('Type')).toEqual(['forking', 'exec'])
  })
})
