/** Numbers of the DNS protocol. Source: IANA "Domain Name System (DNS) Parameters". */
export const TYPE = { A: 1, NS: 2, CNAME: 5, SOA: 6, PTR: 12, TXT: 16, AAAA: 28, SRV: 33, OPT: 41, IXFR: 251, AXFR: 252, ANY: 255 } as const
export const CLASS = { IN: 1, ANY: 255 } as const
export const RCODE = { NOERROR: 0, FORMERR: 1, SERVFAIL: 2, NXDOMAIN: 3, NOTIMP: 4, REFUSED: 5, BADVERS: 16 } as const

export type Rcode = (typeof RCODE)[keyof typeof RCODE]

/** Bits of the header's second pair of bytes. */
export const FLAG = { QR: 0x8000, AA: 0x0400, TC: 0x0200, RD: 0x0100, RA: 0x0080, AD: 0x0020, CD: 0x0010 } as const

export const HEADER = 12
/** Bytes of an answer over UDP to who does not say more (RFC 1035). */
export const PLAIN_UDP = 512
/** What passes without fragments nearly everywhere ("DNS flag day 2020"); also the most that is sent over UDP. */
export const SAFE_UDP = 1232

const RCODE_NAMES = new Map<number, string>(Object.entries(RCODE).map(([name, code]) => [code, name]))

export const rcodeName = (rcode: number): string => RCODE_NAMES.get(rcode) ?? String(rcode)
