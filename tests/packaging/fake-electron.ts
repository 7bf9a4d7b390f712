/** A folder as Electron is unpacked to, whose program does nothing: enough to be packaged, and to see which fuses are blown in it. */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** In Electron's binary this text comes before its fuses: a version, their number, then one of "0", "1" or "r" (removed) each. */
const SENTINEL = 'dL7pKGdnNz796PbbjQWNKmHXBZaB9tsX'
/** In the order of their bytes. */
const FUSES = [
  ...['runAsNode', 'cookieEncryption', 'nodeOptions', 'inspectArguments', 'asarIntegrity', 'onlyAsar', 'ownSnapshot', 'fileProtocol'],
  'wasmTrapHandlers',
] as const

export async function fakeElectron(dir: string): Promise<string> {
  await mkdir(join(dir, 'resources'), { recursive: true })
  await mkdir(join(dir, 'locales'))
  const wire = Buffer.concat([Buffer.from(SENTINEL), Buffer.from([1, FUSES.length]), Buffer.from('100110011')])
  await writeFile(join(dir, 'electron'), Buffer.concat([Buffer.from('#!/bin/sh\nexit 0\n'), wire]), { mode: 0o755 })
  for (const name of ['version', 'LICENSE', 'LICENSES.chromium.html', 'locales/en-US.pak']) await writeFile(join(dir, name), '')
  return dir
}

/** Which fuses of a program are on. */
export async function fusesOf(program: string): Promise<Partial<Record<(typeof FUSES)[number], boolean>>> {
  const bytes = await readFile(program)
  const at = bytes.indexOf(SENTINEL)
  if (at < 0) throw new Error('there are no fuses')
  const wire = bytes.subarray(at + SENTINEL.length + 2).toString('latin1')
  return Object.fromEntries(FUSES.map((name, i) => [name, wire[i] === '1']))
}
