/** A process that writes a container's log as a CRI runtime does, at a pace: `writer.ts FILE LINES LINES-A-SECOND`. Full files are set aside. */
import { closeSync, fstatSync, openSync, renameSync, writeSync } from 'node:fs'
import { systemClock } from '../../electron/base/clock.ts'
import { rotatedName } from '../../electron/agent/kubelet/gc/log-files.ts'
import { messageOf } from './lines.ts'

const [path = '', lines = '0', rate = '1'] = process.argv.slice(2)
const total = Number(lines)
const perSecond = Number(rate)
/** As much as containerd's newest log may have before the agent sets it aside, times five, so that all of them are kept. */
const FULL = 50 << 20
const TICK = 10

const began = systemClock.now()
const second = Math.floor(began / 1000)
let file = openSync(path, 'a')
let written = 0

function stamp(n: number): string {
  const nanos = n * Math.floor(1e9 / perSecond)
  const at = new Date((second + Math.floor(nanos / 1e9)) * 1000).toISOString().slice(0, 19)
  return `${at}.${String(nanos % 1e9).padStart(9, '0')}Z`
}

const timer = systemClock.setInterval(() => {
  const due = Math.min(total, Math.floor(((systemClock.now() - began) / 1000) * perSecond))
  let text = ''
  for (; written < due; written++) text += `${stamp(written)} stdout F ${messageOf(written)}\n`
  if (text) writeSync(file, text)
  if (fstatSync(file).size > FULL) {
    closeSync(file)
    renameSync(path, rotatedName(path, systemClock.now()))
    file = openSync(path, 'a')
  }
  if (written < total) return
  closeSync(file)
  timer[Symbol.dispose]()
}, TICK)
