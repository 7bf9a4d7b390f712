import { decodeMessage, encodeMessage, type Message, type Port } from '../../../electron/contracts/protocol.ts'

/** Resolves when the socket is open; rejects if it closes before. The session's cookie goes along by itself. */
export function openWebSocket(url: string): Promise<Port> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url)
    socket.binaryType = 'arraybuffer'
    const messages: ((message: Message) => void)[] = []
    const closes: (() => void)[] = []
    let open = false
    socket.onopen = () => {
      open = true
      resolve({
        post(message) {
          if (socket.readyState === WebSocket.OPEN) socket.send(encodeMessage(message) as string)
        },
        onMessage: (listener) => void messages.push(listener),
        onClose: (listener) => void closes.push(listener),
        close: () => socket.close(),
      })
    }
    socket.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => {
      const message = decodeMessage(typeof data === 'string' ? data : new Uint8Array(data))
      for (const listener of messages) listener(message)
    }
    socket.onclose = () => {
      if (!open) reject(new Error('the WebSocket did not open'))
      for (const listener of closes) listener()
    }
  })
}

/** Where the page came from, as a WebSocket. */
export function faceUrl(location: { protocol: string; host: string }): string {
  return `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/ws`
}
