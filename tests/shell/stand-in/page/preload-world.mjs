/**
 * Runs in an isolated world before the page's scripts: gives a sandboxed preload its `electron` and runs it. Messages leave by a binding
 * that only this world has, and come in by a function under a secret name. The source text of this function runs inside Chromium.
 *
 * @param {{ secret: string, binding: string, entry: string, process: object }} setup
 * @param {(require: Function, module: object, exports: object, process: object, global: object) => void} preload
 */
export function preloadWorld(setup, makeCodec, makeBridge, preload) {
  if (window !== window.top) return
  const post = globalThis[setup.binding]
  const { encode, decode } = makeCodec()
  const tell = (message) => post(JSON.stringify(message))
  const listeners = new Map()
  const calls = new Map()
  let last = 0

  const request = (message) =>
    new Promise((resolve, reject) => {
      const id = ++last
      calls.set(id, { resolve, reject })
      tell({ ...message, id })
    })
  const ipcRenderer = {
    async invoke(channel, ...args) {
      try {
        return await request({ type: 'invoke', channel, args: encode(args) })
      } catch (error) {
        throw new Error(`Error invoking remote method '${channel}': ${error.message}`)
      }
    },
    send: (channel, ...args) => tell({ type: 'send', channel, args: encode(args) }),
    on(channel, listener) {
      listeners.set(channel, [...(listeners.get(channel) ?? []), listener])
      return ipcRenderer
    },
    removeListener(channel, listener) {
      listeners.set(
        channel,
        (listeners.get(channel) ?? []).filter((known) => known !== listener),
      )
      return ipcRenderer
    },
    removeAllListeners(channel) {
      listeners.delete(channel)
      return ipcRenderer
    },
  }
  globalThis[setup.entry] = (text) => {
    const message = JSON.parse(text)
    if (message.type === 'reply') {
      const { resolve, reject } = calls.get(message.id)
      calls.delete(message.id)
      return message.ok ? resolve(decode(message.value)) : reject(decode(message.value))
    }
    for (const listener of listeners.get(message.channel) ?? []) {
      try {
        listener({ sender: ipcRenderer, ports: [] }, ...decode(message.args))
      } catch (error) {
        reportError(error)
      }
    }
  }

  const bridge = makeBridge({ secret: setup.secret, own: 'preload', peer: 'page', makeCodec, onExpose: () => undefined })
  bridge.expose(setup.secret, (permission, url) => request({ type: 'permission', permission, url }))
  // The DevTools protocol has no event for a title.
  document.addEventListener('DOMContentLoaded', () => {
    const tellTitle = () => tell({ type: 'title', title: document.title })
    new MutationObserver(tellTitle).observe(document.head, { childList: true, subtree: true, characterData: true })
    tellTitle()
  })

  const electron = { ipcRenderer, contextBridge: { exposeInMainWorld: (name, api) => bridge.expose(name, api) } }
  const module = { exports: {} }
  const require = (name) => {
    if (name === 'electron' || name === 'electron/renderer') return electron
    throw new Error(`module not found: ${name}`)
  }
  try {
    preload(require, module, module.exports, Object.freeze(setup.process), globalThis)
  } catch (error) {
    tell({ type: 'preload-error', message: String(error?.stack ?? error) })
  }
}
