import { describe, expect, it } from 'vitest'
import { readShellAssignments } from './shell-assignments.js'

const read = (text: string) => Object.fromEntries(readShellAssignments(text).values)

describe('readShellAssignments', () => {
  it('takes a default, also one with quotes of its own', () => {
    expect(read('A="${X:-"/usr/sbin/sshd"}"\nB=${X:-/b}\nC="${X:-}"\nD="-f ${A:-none}"')).toEqual({
      A: '/usr/sbin/sshd',
      B: '/b',
      C: '',
      D: '-f /usr/sbin/sshd',
    })
  })
  it('does not guess what only a shell could tell', () => {
    const { values, unknown } = readShellAssignments(['A="${X:-\'b\'}"', 'B="${X:-$(id)}"', 'C=`id`'].join('\n'))
    expect([...values.keys()]).toEqual([])
    expect([...unknown]).toEqual(['A', 'B', 'C'])
  })
  it('knows what is exported', () => {
    const text = 'A=1\nexport B=2 C="x y" # export Z\nexport A D\nexport E=$(id)\nif true; then\nexport F=1\nfi\n'
    expect([...readShellAssignments(text).exported]).toEqual(['B', 'C', 'A', 'D', 'E'])
  })
})
