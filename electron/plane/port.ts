import type { MessagePort } from 'node:worker_threads'
import { checkMessage, type Message, type Port } from '../contracts/protocol.ts'

/** A contract port over a worker's MessagePort: both ends are ours, yet what crosses came from a UI, so it is checked. */
export function portOverMessagePort(channel: MessagePort): Port {
  const closes: (() => void)[] = []
  let closed = false
  const close = () => {
    if (closed) return
    closed = true
    channel.close()
    for (const listener of closes) listener()
  }
  channel.on('close', close)
  return {
    post: (message) => {
      if (!closed) channel.postMessage(message)
    },
    onMessage: (listener) => {
      channel.on('message', (value: unknown) => {
        let message: Message
        try {
          message = checkMessage(value)
        } catch {
          return close()
        }
        listener(message)
      })
    },
    onClose: (listener) => closes.push(listener),
    close,
  }
}
