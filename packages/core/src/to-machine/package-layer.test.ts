import 'reflect-metadata'
import { describe, expect, it } from 'vitest'
import { baseIdentity } from './package-layer.js'

describe('the identity of a base', () => {
  it('is the layers’, whatever the image is called', () => {
    const diffIds = ['sha256:a', 'sha256:b']
    expect(baseIdentity({ diffIds })).toBe(baseIdentity({ diffIds: [...diffIds] }))
    expect(baseIdentity({ diffIds: ['sha256:b', 'sha256:a'] })).not.toBe(baseIdentity({ diffIds }))
  })
})
