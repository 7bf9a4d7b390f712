const NEWLINE = 0x0a

/** Splits a stream of UTF-8 bytes at newlines; a last line without newline counts, empty lines do not. */
export async function* lines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string, void, void> {
  let rest: Uint8Array[] = []
  for await (const chunk of chunks) {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    let start = 0
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
      const line = rest.length ? Buffer.concat([...rest, bytes.subarray(start, end)]).toString('utf8') : bytes.toString('utf8', start, end)
      rest = []
      start = end + 1
      if (line) yield line
    }
    if (start < bytes.length) rest.push(bytes.subarray(start))
  }
  const last = Buffer.concat(rest).toString('utf8')
  if (last) yield last
}
