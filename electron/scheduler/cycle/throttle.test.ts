import { expect, it } from 'vitest'
import { deferred } from '../../base/async.ts'
import { Throttle } from './throttle.ts'

it('has room again as soon as one of the calls has ended, also when it failed', async () => {
  const throttle = new Throttle(2)
  const calls = [deferred<void>(), deferred<void>()]
  const running = calls.map(({ promise }) => throttle.run(() => promise))
  let isOpen = false
  const room = throttle.room().then(() => (isOpen = true))
  await Promise.resolve()
  expect(isOpen).toBe(false)
  calls[0]?.reject(new Error('no'))
  await expect(running[0]).rejects.toThrow('no')
  await room
  calls[1]?.resolve()
  await running[1]
  await throttle.room()
})
