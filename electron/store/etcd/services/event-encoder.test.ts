import { describe, expect, it } from 'vitest'
import type { StoreEvent } from '../../store.ts'
import { HeaderCodec } from '../codec/header.ts'
import { watchMessage } from '../codec/watch-response.ts'
import { EventEncoder } from './event-encoder.ts'

const headers = new HeaderCodec({ clusterId: 1n, memberId: 2n, name: 'test' })
const event = (key: string): StoreEvent => ({
  type: 'put',
  kv: { key, value: Buffer.from(`value of ${key}`), createRevision: 7, modRevision: 7, version: 1, lease: 0n },
})

describe('an encoder of events', () => {
  it('makes one message for all watches of one id, and others for others', () => {
    const encoder = new EventEncoder(headers)
    const events = [event('a'), event('b')]
    const bytes = events.map((one) => encoder.event(one))
    const first = encoder.message(0, 7, events)
    expect(encoder.message(0, 7, events)).toBe(first)
    expect(first.equals(watchMessage(headers, 7, { watchId: 0 }, bytes))).toBe(true)
    const second = encoder.message(1, 7, events)
    expect(second.equals(watchMessage(headers, 7, { watchId: 1 }, bytes))).toBe(true)
    expect(second.equals(first)).toBe(false)
    expect(encoder.message(0, 7, [event('a')]).equals(first)).toBe(false)
  })
})
