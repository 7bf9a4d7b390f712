import { describe, expect, it } from 'vitest'
import { type Component, component, componentWith } from './lifecycle.ts'

describe('componentWith', () => {
  it('is the component, its present state included, with what else is offered', async () => {
    const done: string[] = []
    let size = 1
    const base = component(async (stack) => {
      done.push('started')
      stack.defer(() => void done.push('stopped'))
    })
    const part: Component & { readonly size: number } = componentWith(base, {
      get size() {
        return size
      },
    })
    expect(part.state).toBe('pending')
    await part.start()
    size = 2
    expect([part.state, part.size, done]).toEqual(['ready', 2, ['started']])
    await part[Symbol.asyncDispose]()
    expect([part.state, base.state, done]).toEqual(['stopped', 'stopped', ['started', 'stopped']])
  })
})
