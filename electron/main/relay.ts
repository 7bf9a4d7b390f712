import type { WebContents } from 'electron'
import { checkMessage, type Message, type Port } from '../contracts/protocol.ts'
import { IPC } from '../contracts/shell.ts'

/** A page's conversation. Its connections to the plane are counted, so that no message of one reaches the next. */
interface Conversation {
  connection: number
  port: Port | null
}

/** Hands the messages of pages to the plane and back; a page's first message makes its connection, and the first after a loss a new one. */
export function createRelay(connect: () => Port): (contents: WebContents, connection: unknown, value: unknown) => void {
  const conversations = new Map<WebContents, Conversation>()

  const begin = (contents: WebContents): Conversation => {
    const conversation: Conversation = { connection: 0, port: null }
    conversations.set(contents, conversation)
    const forget = () => {
      const { port } = conversation
      conversation.connection = 0
      conversation.port = null
      port?.close()
    }
    // A page that loads again counts from the beginning.
    contents.on('did-navigate', forget)
    contents.on('render-process-gone', forget)
    contents.once('destroyed', () => {
      forget()
      conversations.delete(contents)
    })
    return conversation
  }
  const open = (contents: WebContents, conversation: Conversation): Port => {
    const port = connect()
    conversation.port = port
    port.onMessage((message) => {
      if (conversation.port === port && !contents.isDestroyed()) contents.send(IPC.down, message)
    })
    port.onClose(() => {
      if (conversation.port !== port) return
      conversation.port = null
      conversation.connection++
      if (!contents.isDestroyed()) contents.send(IPC.closed, conversation.connection)
    })
    return port
  }

  return (contents, connection, value) => {
    const conversation = conversations.get(contents) ?? begin(contents)
    if (connection !== conversation.connection) return
    let message: Message
    try {
      message = checkMessage(value)
    } catch {
      return
    }
    const port = conversation.port ?? open(contents, conversation)
    port.post(message)
  }
}
