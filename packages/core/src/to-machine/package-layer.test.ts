import 'reflect-metadata'
import { describe, expect, it } from 'vitest'
import { baseIdentity } from './package-layer.js'

describe('the identity of a base', () => {
  it('is the layers’, whatever the image is called', () => {
    const diffIds = ['sha256:a', 'sha256:b']
    const [one, two] = ['sha256:1', 'sha256:2'].map((digest) => baseIdentity({ diffIds, digest }))
    expect(one).toBe(two)
    expect(baseIdentity({ diffIds: ['sha256:b', 'sha256:a'], digest: 'sha256:1' })).not.toBe(one)
  })

  it('differs between two folders, which have no layers', () => {
    const [one, two] = ['sha256:1', 'sha256:2'].map((digest) => baseIdentity({ diffIds: [], digest }))
    expect(one).not.toBe(two)
  })
})
