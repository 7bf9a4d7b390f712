import { Notification } from 'electron'

/** A native notification, where the desktop has any. */
export function notify(title: string, body: string): void {
  if (Notification.isSupported()) new Notification({ title, body }).show()
}
