/** A header block that cannot be read; it ends the connection, because what follows depends on it (RFC 9113, section 4.3). */
export class HpackError extends Error {
  override readonly name = 'HpackError'
}
