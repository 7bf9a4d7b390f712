import { Metadata, type ServiceError, status } from '@grpc/grpc-js'
import { describe, expect, it } from 'vitest'
import { failureOf, reasonIn } from './etcd-error.ts'

function answered(code: status, details: string): ServiceError {
  return Object.assign(new Error(`${code}: ${details}`), { code, details, metadata: new Metadata() })
}

describe('what etcd answers instead of a result', () => {
  it('is told as the store tells the same thing', () => {
    const refusal = (code: status, details: string) => {
      const failure = failureOf(answered(code, details))
      return failure.kind === 'refused' ? failure.error.code : failure
    }
    expect(refusal(status.OUT_OF_RANGE, 'etcdserver: mvcc: required revision has been compacted')).toBe('compacted')
    expect(refusal(status.OUT_OF_RANGE, 'etcdserver: mvcc: required revision is a future revision')).toBe('futureRevision')
    expect(refusal(status.NOT_FOUND, 'etcdserver: requested lease not found')).toBe('leaseNotFound')
    expect(refusal(status.RESOURCE_EXHAUSTED, 'etcdserver: mvcc: database space exceeded')).toBe('noSpace')
    expect(refusal(status.INVALID_ARGUMENT, 'etcdserver: too many operations in txn request')).toBe('invalidRequest')
  })

  it('is an outage when another member or a later try may serve it, and says whether it may have been begun', () => {
    const outage = (code: status, details: string) => failureOf(answered(code, details))
    expect(outage(status.UNAVAILABLE, 'etcdserver: no leader')).toMatchObject({ kind: 'outage', begun: false })
    expect(outage(status.RESOURCE_EXHAUSTED, 'etcdserver: too many requests')).toMatchObject({ kind: 'outage', begun: false })
    expect(outage(status.UNAVAILABLE, 'No connection established. Last error: none. Resolution note: ')).toMatchObject({ begun: false })
    expect(outage(status.UNAVAILABLE, 'etcdserver: request timed out')).toMatchObject({ kind: 'outage', begun: true })
    expect(outage(status.UNAVAILABLE, 'Connection dropped')).toMatchObject({ kind: 'outage', begun: true })
    expect(outage(status.DEADLINE_EXCEEDED, 'Deadline exceeded')).toMatchObject({ kind: 'outage', begun: true })
  })

  it('is refused in its own words when the store knows no other', () => {
    const failure = failureOf(answered(status.PERMISSION_DENIED, 'etcdserver: permission denied'))
    expect(failure).toMatchObject({ kind: 'refused', error: { code: 'unavailable', message: 'etcd: etcdserver: permission denied' } })
  })

  it('passes on what is no answer', () => {
    expect(() => failureOf(new TypeError('a defect'))).toThrow('a defect')
  })
})

describe('why there is no connection', () => {
  it('is the last error, without what surrounds it', () => {
    const details = 'No connection established. Last error: Error: connect ECONNREFUSED 127.0.0.1:1. Resolution note: '
    expect(reasonIn(details)).toBe('connect ECONNREFUSED 127.0.0.1:1')
    expect(reasonIn('Deadline exceeded')).toBe('Deadline exceeded')
  })
})
