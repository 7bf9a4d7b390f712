/** As much of the package as tests use to read and write messages independently of this server's own code. */
declare module 'dns-packet' {
  interface Question {
    name: string
    type: string
    class?: string
  }

  interface ResourceRecord {
    name: string
    type: string
    ttl?: number
    class?: string
    data?: unknown
    udpPayloadSize?: number
    ednsVersion?: number
    extendedRcode?: number
    flags?: number
  }

  export interface Packet {
    id?: number
    type?: 'query' | 'response'
    flags?: number
    rcode?: string
    flag_aa?: boolean
    flag_tc?: boolean
    flag_rd?: boolean
    flag_ra?: boolean
    flag_ad?: boolean
    questions?: Question[]
    answers?: ResourceRecord[]
    authorities?: ResourceRecord[]
    additionals?: ResourceRecord[]
  }

  export type DecodedPacket = Required<Packet>

  export function encode(packet: Packet): Buffer
  export function decode(bytes: Buffer): DecodedPacket
}
