import type { DnsRecord } from '../wire/record.ts'

/** What a zone says to a question. */
export type Found =
  | { readonly kind: 'records'; readonly records: readonly DnsRecord[]; readonly additional?: readonly DnsRecord[] }
  /** The name stands for another one, which may be of any zone. */
  | { readonly kind: 'alias'; readonly record: DnsRecord; readonly target: string }
  /** The name, or one below it, is there; but nothing of this type ("NODATA" of RFC 2308). */
  | { readonly kind: 'empty'; readonly zone: string }
  /** NXDOMAIN. */
  | { readonly kind: 'missing'; readonly zone: string }
  /** It is not known yet what the cluster has. */
  | { readonly kind: 'unknown' }

export interface Zone {
  /** Null for a name that is none of this zone's. Names are as the wire's: lower case, without the final dot. */
  find(name: string, type: number): Found | null
}
