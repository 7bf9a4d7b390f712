import { create } from '@bufbuild/protobuf'
import { describe, expect, it } from 'vitest'
import { toTxnResponse } from './codec.ts'
import { TxnResponseSchema } from '../wire/gen/etcd_pb.js'

const range = { response: { case: 'responseRange' as const, value: {} } }
const put = { response: { case: 'responsePut' as const, value: {} } }
const deletion = (deleted: bigint) => ({ response: { case: 'responseDeleteRange' as const, value: { deleted } } })

const revisions = (responses: object[]) =>
  toTxnResponse(create(TxnResponseSchema, { header: { revision: 9n }, succeeded: true, responses })).responses.map((response) =>
    'revision' in response ? response.revision : null,
  )

describe('etcd’s answer to a transaction', () => {
  it('gives each part the revision it saw: the one before, until the transaction changes something', () => {
    const nested = { response: { case: 'responseTxn' as const, value: { succeeded: true, responses: [put] } } }
    expect(revisions([range, put, range])).toEqual([8, null, 9])
    expect(revisions([range, deletion(0n), range, deletion(2n), range])).toEqual([8, null, 8, null, 9])
    expect(revisions([range, nested, range])).toEqual([8, 9, 9])
  })

  it('gives all parts the store’s revision when nothing was changed', () => {
    expect(revisions([range, deletion(0n), range])).toEqual([9, null, 9])
  })
})
