import type { Duplex } from 'node:stream'

/**
 * Carries bytes both ways, each way as fast as its reader takes them. The end of one direction ends it at the other side and leaves the
 * opposite one open; the loss of either side ends both. Resolves when both are closed.
 */
export async function relay(a: Duplex, b: Duplex): Promise<void> {
  await Promise.all([carry(a, b), carry(b, a)])
}

function carry(from: Duplex, to: Duplex): Promise<void> {
  return new Promise((resolve) => {
    const onClose = () => {
      if (from.readableEnded && !to.destroyed) to.end(() => to.destroy())
      else to.destroy()
      resolve()
    }
    from.on('error', () => from.destroy())
    if (from.destroyed) return onClose()
    from.once('close', onClose)
    from.pipe(to)
  })
}
