/**
 * One end of the bus between the page's world and the preload's in one document: events under a secret name that carry only text, so that
 * no object of one world reaches the other. A call is answered before `dispatchEvent` returns. What the page could replace is taken
 * beforehand. The source text of this function runs inside Chromium.
 *
 * @param {{ secret: string, own: string, peer: string, makeCodec: typeof import('./codec.mjs').makeCodec, onExpose: (name: string, api: unknown) => void }} options
 */
export function makeBridge({ secret, own, peer, makeCodec, onExpose }) {
  const { stringify, parse } = JSON
  const { apply } = Reflect
  const { addEventListener, dispatchEvent } = window
  const Event = window.CustomEvent
  const Failure = window.Error
  const Pledge = window.Promise
  const functions = new Map()
  const ids = new WeakMap()
  const promises = new Map()
  const replies = new Map()
  let last = 0

  const emit = (message) => apply(dispatchEvent, window, [new Event(secret + peer, { detail: stringify(message) })])
  const call = (message) => {
    const id = ++last
    emit({ ...message, id })
    const reply = replies.get(id)
    replies.delete(id)
    if (!reply) throw new Failure('the other world does not answer')
    const value = codec.decode(reply.value)
    if (reply.ok) return value
    throw value
  }
  const tryEncode = (work) => {
    try {
      return { ok: true, value: codec.encode(work()) }
    } catch (error) {
      return { ok: false, value: codec.encode(error instanceof Failure ? error : new Failure(String(error))) }
    }
  }
  const codec = makeCodec({
    onFunction(fn) {
      const id = ids.get(fn) ?? ++last
      ids.set(fn, id)
      functions.set(id, fn)
      return id
    },
    toFunction:
      (id) =>
      (...args) =>
        call({ type: 'call', fn: id, args: codec.encode(args) }),
    onPromise(promise) {
      const id = ++last
      promise.then(
        (result) => emit({ type: 'settle', id, ...tryEncode(() => result) }),
        (error) =>
          emit({ type: 'settle', id, ok: false, value: codec.encode(error instanceof Failure ? error : new Failure(String(error))) }),
      )
      return id
    },
    toPromise: (id) => new Pledge((resolve, reject) => promises.set(id, { resolve, reject })),
  })
  const receive = {
    reply: (message) => replies.set(message.id, message),
    settle(message) {
      const { resolve, reject } = promises.get(message.id)
      promises.delete(message.id)
      if (message.ok) resolve(codec.decode(message.value))
      else reject(codec.decode(message.value))
    },
    call(message) {
      emit({ type: 'reply', id: message.id, ...tryEncode(() => apply(functions.get(message.fn), undefined, codec.decode(message.args))) })
    },
    expose(message) {
      emit({ type: 'reply', id: message.id, ...tryEncode(() => onExpose(message.name, codec.decode(message.api))) })
    },
  }
  const onEvent = (event) => {
    event.stopImmediatePropagation()
    const message = parse(event.detail)
    receive[message.type](message)
  }
  apply(addEventListener, window, [secret + own, onEvent, true])
  return { expose: (name, api) => call({ type: 'expose', name, api: codec.encode(api) }) }
}
