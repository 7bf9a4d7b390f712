/** The files of the cluster's PKI: `ca.crt`, `ca.key`, `sa.key`. All or none of them exist. */
import { webcrypto } from 'node:crypto'
import { chmod, mkdir, open, readdir, readFile, rename, rm, rmdir } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import * as x509 from '../../machinery/x509.ts'
import type { Clock } from '../../base/clock.ts'
import { FlotillaError, messageOf, systemCode } from '../../base/errors.ts'
import type { Random } from '../../base/random.ts'
import { createAuthority, generateKeys, importPrivateKey, privateKeyPem, type Authority } from './certificate.ts'

export const DAY = 24 * 3600_000
export const YEAR = 365 * DAY
const CA_LIFETIME = 10 * YEAR
/** Clocks of machines differ: what is issued is valid a little before it was made. */
export const BACKDATE = 3600_000

export interface PkiState {
  readonly authority: Authority
  readonly serviceAccountKeys: webcrypto.CryptoKeyPair
}

const FILES = ['ca.crt', 'ca.key', 'sa.key'] as const
type Contents = Record<(typeof FILES)[number], string>

/**
 * Loads the PKI of `dir`, or makes one if the folder is missing or empty. Throws FlotillaError `STATE_UNREADABLE` that names the
 * file which is missing, damaged or of another cluster.
 */
export async function openState(options: { dir: string; clock: Clock; random: Random }): Promise<PkiState> {
  const { dir, clock, random } = options
  const present = await entries(dir)
  if (!present.length) await createState(dir, clock, random)
  const contents = {} as Contents
  for (const name of FILES) contents[name] = await readOne(dir, name)
  return { authority: await readAuthority(dir, contents, clock), serviceAccountKeys: await readKey(dir, 'sa.key', contents['sa.key']) }
}

async function entries(dir: string): Promise<string[]> {
  try {
    return await readdir(dir)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return []
    throw unreadable(dir, messageOf(error), 'Check the folder and its permissions.', error)
  }
}

/** The folder is made under another name and renamed, so that a crash leaves a whole PKI or none. */
async function createState(dir: string, clock: Clock, random: Random): Promise<void> {
  const now = clock.now()
  const suffix = Buffer.from(random.bytes(4)).toString('hex')
  const authority = await createAuthority({
    commonName: `flotilla-ca-${suffix}`,
    notBefore: now - BACKDATE,
    notAfter: now + CA_LIFETIME,
    random,
  })
  const contents: Contents = {
    'ca.crt': `${authority.cert.toString('pem')}\n`,
    'ca.key': await privateKeyPem(authority.key),
    'sa.key': await privateKeyPem((await generateKeys()).privateKey),
  }
  const made = join(dirname(dir), `.${basename(dir)}.${suffix}`)
  try {
    await mkdir(made, { recursive: true, mode: 0o700 })
    for (const name of FILES) await writeDurably(join(made, name), contents[name])
    await rmdir(dir).catch((error: unknown) => {
      if (systemCode(error) !== 'ENOENT') throw error
    })
    await rename(made, dir)
  } catch (error) {
    await rm(made, { recursive: true, force: true })
    if (systemCode(error) === 'ENOSPC')
      throw new FlotillaError('DISK_FULL', {
        what: `Could not write the cluster's certificates to ${dir}.`,
        why: 'The disk is full.',
        next: 'Free some space and start again.',
        cause: error,
      })
    throw error
  }
}

async function writeDurably(path: string, text: string): Promise<void> {
  await using file = await open(path, 'wx', 0o600)
  await file.writeFile(text)
  await file.sync()
}

async function readOne(dir: string, name: keyof Contents): Promise<string> {
  const path = join(dir, name)
  try {
    const text = await readFile(path, 'utf8')
    await chmod(path, 0o600)
    return text
  } catch (error) {
    const why = systemCode(error) === 'ENOENT' ? 'The file is missing, though others of the same cluster are there.' : messageOf(error)
    throw unreadable(path, why, RESTORE, error)
  }
}

async function readKey(dir: string, name: keyof Contents, text: string): Promise<webcrypto.CryptoKeyPair> {
  try {
    return await importPrivateKey(text)
  } catch (error) {
    throw unreadable(join(dir, name), 'It does not hold a P-256 private key in PKCS #8 PEM.', RESTORE, error)
  }
}

async function readAuthority(dir: string, contents: Contents, clock: Clock): Promise<Authority> {
  const path = join(dir, 'ca.crt')
  let cert: x509.X509Certificate
  try {
    cert = new x509.X509Certificate(contents['ca.crt'])
  } catch (error) {
    throw unreadable(path, 'It does not hold a certificate in PEM.', RESTORE, error)
  }
  if (!cert.getExtension(x509.BasicConstraintsExtension)?.ca)
    throw unreadable(path, `The certificate (${cert.subject}) is not of a certificate authority.`, RESTORE)
  const keys = await readKey(dir, 'ca.key', contents['ca.key'])
  const ofKey = Buffer.from(await webcrypto.subtle.exportKey('spki', keys.publicKey))
  if (!ofKey.equals(Buffer.from(cert.publicKey.rawData)))
    throw unreadable(join(dir, 'ca.key'), `The key belongs to another certificate than ca.crt (${cert.subject}).`, RESTORE)
  if (cert.notAfter.getTime() <= clock.now())
    throw unreadable(path, `The certificate (${cert.subject}) expired on ${cert.notAfter.toISOString()}.`, CLOCK)
  return { cert, key: keys.privateKey }
}

const RESTORE =
  'Put the file back from a backup of this cluster, or remove the whole folder to make new certificates: machines must then join again.'
const CLOCK =
  "Check this computer's clock; if it is right, remove the whole folder to make new certificates: machines must then join again."

function unreadable(path: string, why: string, next: string, cause?: unknown): FlotillaError {
  return new FlotillaError('STATE_UNREADABLE', { what: `The cluster's certificates cannot be used: ${path}.`, why, next, cause })
}
