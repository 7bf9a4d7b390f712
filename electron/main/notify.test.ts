import { beforeEach, describe, expect, it, vi } from 'vitest'
import { Notifier } from './notify.ts'
import { translator } from './texts/texts.ts'

interface Shown {
  readonly title: string
  readonly body: string
  click(): void
}

const { shown } = vi.hoisted(() => ({ shown: [] as Shown[] }))
vi.mock('electron', () => ({
  Notification: class {
    static isSupported = () => true
    readonly #listeners = new Map<string, () => void>()
    readonly title: string
    readonly body: string
    constructor({ title, body }: { title: string; body: string }) {
      this.title = title
      this.body = body
    }
    on(event: string, listener: () => void) {
      this.#listeners.set(event, listener)
    }
    show() {
      shown.push({ title: this.title, body: this.body, click: () => this.#listeners.get('click')?.() })
    }
  },
}))

let routes: string[]
beforeEach(() => {
  shown.length = 0
  routes = []
})
const show = (route: string) => void routes.push(route)

describe('a notification', () => {
  it('of one thing says its name and leads to it', () => {
    const notifier = new Notifier()
    notifier.alert({ type: 'silent', nodes: ['berta'] }, translator('en'), show)
    notifier.alert({ type: 'looping', pods: [{ namespace: 'shop', name: 'web-1' }] }, translator('de'), show)
    for (const each of shown) each.click()
    expect(shown.map(({ title }) => title)).toEqual(['The node berta is not ready', 'shop/web-1 stürzt immer wieder ab'])
    expect(routes).toEqual(['/machines/berta', '/pods/shop/web-1'])
  })

  it('of several counts them, and leads to where all are', () => {
    const pods = Array.from({ length: 1200 }, (_, i) => ({ namespace: 'shop', name: `web-${i}` }))
    const notifier = new Notifier()
    notifier.alert({ type: 'looping', pods }, translator('de'), show)
    notifier.alert({ type: 'silent', nodes: ['a', 'b'] }, translator('en'), show)
    for (const each of shown) each.click()
    expect(shown.map(({ title, body }) => [title, body])).toEqual([
      ['1.200 Pods stürzen immer wieder ab', 'shop/web-0, shop/web-1, shop/web-2, shop/web-3 …'],
      ['2 nodes are not ready', 'a, b'],
    ])
    expect(routes).toEqual(['/pods', '/machines'])
  })
})
