import { Notification } from 'electron'
import type { Alert } from './alerts.ts'
import type { Translate } from './texts/texts.ts'

const SHOWN_NAMES = 4

/** Native notifications, where the desktop has any. */
export class Notifier {
  /** One that nobody keeps may lose its click. */
  readonly #shown = new Set<Notification>()

  notify(title: string, body: string, onClick?: () => void): void {
    if (!Notification.isSupported()) return
    const notification = new Notification({ title, body })
    this.#shown.add(notification)
    const done = () => void this.#shown.delete(notification)
    notification.on('click', () => {
      done()
      onClick?.()
    })
    notification.on('close', done)
    notification.show()
  }

  /** `show` is called with the page that tells more, when the notification is clicked. */
  alert(alert: Alert, text: Translate, show: (route: string) => void): void {
    if (alert.type === 'silent') {
      const { nodes } = alert
      const [name = ''] = nodes
      if (nodes.length === 1) this.notify(text('alert.silent', { name }), text('alert.silent.text'), () => show(`/machines/${name}`))
      else this.notify(text('alert.silents', { n: nodes.length }), some(nodes), () => show('/machines'))
      return
    }
    const names = alert.pods.map((pod) => `${pod.namespace}/${pod.name}`)
    const [pod] = alert.pods
    if (pod && alert.pods.length === 1) {
      this.notify(text('alert.looping', { ...pod }), text('alert.looping.text'), () => show(`/pods/${pod.namespace}/${pod.name}`))
    } else this.notify(text('alert.loopings', { n: names.length }), some(names), () => show('/pods'))
  }
}

function some(names: readonly string[]): string {
  return names.length > SHOWN_NAMES ? `${names.slice(0, SHOWN_NAMES).join(', ')} …` : names.join(', ')
}
