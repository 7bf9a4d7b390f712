/**
 * Runs in the page's own world before its scripts: takes what the preload exposes, and asks the app where Chromium would ask a person.
 * The source text of this function runs inside Chromium.
 */
export function pageWorld(secret, makeCodec, makeBridge) {
  if (window !== window.top) return
  const { apply } = Reflect

  const frozen = (value) => {
    if (value === null || !['object', 'function'].includes(typeof value) || ArrayBuffer.isView(value)) return value
    for (const key of Object.keys(value)) frozen(value[key])
    return Object.freeze(value)
  }
  // Electron answers null where the window-open handler denies. Here it is always null: an allowed window has no opener.
  const { open } = window
  window.open = (...args) => {
    apply(open, window, args)?.close()
    return null
  }
  /** The app decides; then Chromium's own call runs under that decision. */
  const askFirst = (ask, object, name, permission) => {
    const real = object?.[name]
    if (!real) return
    const asking = {
      [name](...args) {
        return ask(permission, location.href).then(() => apply(real, this, args))
      },
    }
    Object.defineProperty(object, name, { value: asking[name], configurable: true, enumerable: true, writable: true })
  }

  makeBridge({
    secret,
    own: 'page',
    peer: 'preload',
    makeCodec,
    onExpose(name, api) {
      if (name === secret) {
        askFirst(api, window.Notification, 'requestPermission', 'notifications')
        askFirst(api, window.MediaDevices?.prototype, 'getUserMedia', 'media')
        askFirst(api, window.Clipboard?.prototype, 'readText', 'clipboard-read')
        return
      }
      if (name in window) throw new Error('Cannot bind an API on top of an existing property on the window object')
      Object.defineProperty(window, name, { value: frozen(api), enumerable: true })
    },
  })
}
