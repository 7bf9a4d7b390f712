import type { DatabaseSync } from 'node:sqlite'
import type { MessagePort } from 'node:worker_threads'
import { messageOf } from '../../base/errors.ts'
import type { CommitMessage, Failure, FromWriter, ToWriter, WriterInit } from './protocol.ts'
import { numberRecord, readFrame } from './record.ts'
import { Reserve } from './reserve.ts'
import { connect, type FactName, LOCK_WAIT, pragma } from './schema.ts'
import { isFull, SQLITE, sqliteCode } from './sqlite-code.ts'

/** The log is folded into the database when about so many bytes were added to it, and when the store is closed. */
const CHECKPOINT_AT = 8 * 1024 * 1024
/** How long folding the log waits for readers of the database, in milliseconds: writes wait meanwhile. */
const CHECKPOINT_WAIT = 100
/** About what a transaction adds to the log beside its values. */
const OVERHEAD = 16 * 1024

/** The thread that writes: one transaction a batch, on disk before it is answered. */
export function serveWriting(port: MessagePort, init: WriterInit): void {
  const { path } = init
  const db = connect(path)
  const write = writer(db)
  const reserve = new Reserve(path, init.reserveBytes)
  let stopped: { epoch: number; failure: Failure } | null = null
  let logged = 0
  /** The batch that waits for room, and what came after it. */
  let waiting: ToWriter[] | null = null
  const send = (message: FromWriter) => port.postMessage(message, 'frame' in message ? [message.frame] : [])

  const checkpoint = (mode: 'PASSIVE' | 'TRUNCATE') => {
    try {
      db.exec(`PRAGMA busy_timeout = ${CHECKPOINT_WAIT}; PRAGMA wal_checkpoint(${mode})`)
    } catch (error) {
      send({ type: 'checkpointFailed', message: messageOf(error) })
    } finally {
      db.exec(`PRAGMA busy_timeout = ${LOCK_WAIT}`)
    }
    logged = 0
  }

  const commit = (message: CommitMessage, again = false) => {
    const { epoch, frame } = message
    if (epoch === stopped?.epoch) return send({ type: 'failed', frame, ...stopped })
    try {
      write(message)
    } catch (error) {
      if (db.isTransaction) db.exec('ROLLBACK')
      const failure = failureOf(error)
      if (failure.kind === 'full' && !again) {
        waiting = [message]
        return send({ type: 'roomWanted' })
      }
      stopped = { epoch, failure }
      if (stopped.failure.kind === 'full') {
        reserve.release()
        checkpoint('TRUNCATE')
      }
      return send({ type: 'failed', frame, ...stopped })
    }
    send({ type: 'done', frame })
    logged += message.length + OVERHEAD
    if (logged >= CHECKPOINT_AT) checkpoint('PASSIVE')
  }

  const probe = () => send({ type: 'reserve', held: reserve.take() })

  const shrink = (pages: number) => {
    let left = pragma(db, 'freelist_count')
    try {
      db.exec(`PRAGMA incremental_vacuum(${pages})`)
      left = pragma(db, 'freelist_count')
    } catch (error) {
      send({ type: 'checkpointFailed', message: messageOf(error) })
    }
    // The file itself gets shorter with the checkpoint.
    if (left === 0) checkpoint('TRUNCATE')
    if (left === 0 && !reserve.held) probe()
    send({ type: 'shrunk', left })
  }

  /** Writes the whole database anew, through the log and a temporary file, and then in its place. */
  const defragment = (): Failure | null => {
    try {
      db.exec('PRAGMA temp_store = FILE; VACUUM')
      return null
    } catch (error) {
      return failureOf(error)
    } finally {
      db.exec('PRAGMA temp_store = MEMORY')
      checkpoint('TRUNCATE')
    }
  }

  const close = () => {
    checkpoint('TRUNCATE')
    db.close()
    port.close()
  }

  const resume = () => {
    const [first, ...rest] = waiting ?? []
    waiting = null
    if (first?.type === 'commit') commit(first, true)
    for (const message of rest) receive(message)
  }

  const receive = (message: ToWriter) => {
    if (message.type === 'roomMade') return resume()
    if (waiting) return void waiting.push(message)
    switch (message.type) {
      case 'commit':
        return commit(message)
      case 'shrink':
        return shrink(message.pages)
      case 'probe':
        return probe()
      case 'defragment':
        return send({ type: 'defragmented', failure: defragment() })
      case 'close':
        return close()
    }
  }

  port.on('message', receive)
  probe()
  send({ type: 'ready' })
}

function writer(db: DatabaseSync): (message: CommitMessage) => void {
  const begin = db.prepare('BEGIN IMMEDIATE')
  const end = db.prepare('COMMIT')
  const addChange = db.prepare('INSERT INTO change VALUES (?, ?)')
  const addValue = db.prepare('INSERT INTO value VALUES (?, ?)')
  const dropChange = db.prepare('DELETE FROM change WHERE seq = ?')
  const dropValue = db.prepare('DELETE FROM value WHERE seq = ?')
  const grant = db.prepare('INSERT INTO lease VALUES (?, ?)')
  const revoke = db.prepare('DELETE FROM lease WHERE id = ?')
  const replaceFact = db.prepare('INSERT OR REPLACE INTO fact VALUES (?, ?)')
  const setFact = (name: FactName, value: number) => replaceFact.run(name, numberRecord(name, value))
  return ({ frame, length, leases, compact, purge }) => {
    begin.run()
    // First, so that on a full disk their room can be used at once.
    for (const seq of purge) {
      dropChange.run(seq)
      dropValue.run(seq)
    }
    readFrame(Buffer.from(frame, 0, length), (seq, record, value) => {
      addChange.run(seq, record)
      if (value) addValue.run(seq, value)
    })
    for (const [id, ttl] of leases) {
      if (ttl === null) revoke.run(id)
      else grant.run(id, numberRecord(`lease ${id}`, ttl))
    }
    if (compact) {
      setFact('compactRevision', compact.revision)
      setFact('compactKeys', compact.keys)
      setFact('compactBare', compact.bare ? 1 : 0)
    }
    end.run()
  }
}

function failureOf(error: unknown): Failure {
  const message = messageOf(error)
  if (isFull(error)) return { kind: 'full', message }
  const code = sqliteCode(error)
  const primary = code & 0xff
  if (primary === SQLITE.CORRUPT || primary === SQLITE.NOTADB) return { kind: 'corrupt', message }
  return { kind: 'io', message: primary === SQLITE.IOERR ? `${message}, ${code}` : message }
}
