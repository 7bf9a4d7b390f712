/** The writing thread with a planted bug: SQLite is told not to wait for the disk, so that writes are acknowledged before they are safe. */
import { DatabaseSync } from 'node:sqlite'

const safeExec = Object.getOwnPropertyDescriptor(DatabaseSync.prototype, 'exec')?.value as (sql: string) => void
DatabaseSync.prototype.exec = function (sql) {
  safeExec.call(this, sql.replace('synchronous = FULL', 'synchronous = OFF'))
}
await import('../../../electron/store/embedded/worker.ts')
