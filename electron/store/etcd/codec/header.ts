import { allocateMessage, PREFIX } from '../grpc/message.ts'
import { int64FieldSize, intFieldSize, WireWriter } from './writer.ts'

/** Who this server says it is, in every answer. */
export interface Identity {
  readonly clusterId: bigint
  readonly memberId: bigint
  /** The member's name. */
  readonly name: string
}

/** There is one member, which has led since it was made. */
export const RAFT_TERM = 1

/** etcdserverpb.ResponseHeader. */
export interface WireHeader {
  readonly clusterId: bigint
  readonly memberId: bigint
  readonly revision: bigint
  readonly raftTerm: bigint
}

export class HeaderCodec {
  readonly #identity: Identity
  /** cluster_id and member_id. */
  readonly #ids: Buffer

  constructor(identity: Identity) {
    this.#identity = identity
    const { clusterId, memberId } = identity
    this.#ids = Buffer.alloc(int64FieldSize(clusterId) + int64FieldSize(memberId))
    const writer = new WireWriter(this.#ids, 0)
    writer.int64(1, clusterId)
    writer.int64(2, memberId)
  }

  /** For messages that the generated code writes. */
  at(revision: number): WireHeader {
    const { clusterId, memberId } = this.#identity
    return { clusterId, memberId, revision: BigInt(revision), raftTerm: BigInt(RAFT_TERM) }
  }

  size(revision: number): number {
    return this.#ids.length + intFieldSize(revision) + intFieldSize(RAFT_TERM)
  }

  /** A prefixed message whose first field is the header and which has so many bytes more. */
  begin(revision: number, more: number): { readonly message: Buffer; readonly writer: WireWriter } {
    const size = this.size(revision)
    // The header is below 128 bytes, so that its length takes one.
    const message = allocateMessage(2 + size + more)
    const writer = new WireWriter(message, PREFIX)
    writer.message(1, size)
    writer.raw(this.#ids)
    writer.int(3, revision)
    writer.int(4, RAFT_TERM)
    return { message, writer }
  }
}
