import { promisify } from 'node:util'
import { gzip as gzipCallback, constants } from 'node:zlib'

const gzip = promisify(gzipCallback)

/** Smaller answers cost more to compress than to send; upstream's threshold. */
const MIN_BYTES = 128 << 10

export function worthCompressing(body: { readonly length: number }, acceptEncoding: string | undefined): boolean {
  return body.length > MIN_BYTES && acceptEncoding !== undefined && /(^|[\s,])(gzip|\*)(?!\s*;\s*q=0(\.0*)?\s*(,|$))/.test(acceptEncoding)
}

export async function compress(body: Uint8Array): Promise<Buffer> {
  return gzip(body, { level: constants.Z_BEST_SPEED })
}
