import type { MessagePort } from 'node:worker_threads'
import { messageOf } from '../../../base/errors.ts'
import { HistoryDatabase } from './history-database.ts'
import type { Answer, FromHistory, HistoryInit, Question, ToHistory } from './protocol.ts'

/** How many changes are taken over in one transaction. */
const SLICE = 1000

/** The thread that keeps what compactions take away: everything in the order in which it came, a slice at a time. */
export function serveHistory(port: MessagePort, init: HistoryInit): void {
  const queue: ToHistory[] = []
  let database: HistoryDatabase | null = null
  let running = false
  const send = (message: FromHistory) => port.postMessage(message)

  const end = () => {
    queue.length = 0
    database?.[Symbol.dispose]()
    port.close()
  }

  /** False if there is more to do of the message. */
  const serve = (db: HistoryDatabase, message: Exclude<ToHistory, { type: 'close' }>): boolean => {
    switch (message.type) {
      case 'keep': {
        const rows = message.rows.subarray(0, 2 * SLICE)
        db.keep(rows)
        send({ type: 'kept', count: rows.length / 2 })
        if (rows.length === message.rows.length) return true
        queue[0] = { type: 'keep', rows: message.rows.subarray(rows.length) }
        return false
      }
      case 'note':
        db.note(message.moment)
        return true
      case 'ask':
        send({ type: 'answer', id: message.id, answer: answer(db, message.question) })
        return true
    }
  }

  const step = () => {
    const [message] = queue
    if (!message) return void (running = false)
    try {
      database ??= new HistoryDatabase(init)
      if (message.type !== 'close' && serve(database, message)) queue.shift()
      setImmediate(step)
    } catch (error) {
      send({ type: 'failed', message: messageOf(error) })
      end()
    }
  }

  port.on('message', (message: ToHistory) => {
    if (message.type === 'close') return end()
    queue.push(message)
    if (running) return
    running = true
    step()
  })
}

function answer(db: HistoryDatabase, question: Question): Answer {
  switch (question.ask) {
    case 'existing':
      return db.existing(question.range, question.revision)
    case 'changed':
      return db.changed(question.range, question.from, question.to, question.limit)
    case 'values':
      return db.values(question.seqs, question.revision)
    case 'bounds':
      return db.bounds()
    case 'momentAt':
      return db.momentAt(question.time)
    case 'times':
      return db.times(question.revisions)
    case 'check':
      return db.check()
  }
}
