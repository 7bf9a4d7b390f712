/** Private keys: the user's, which are only read, and the cluster's own, which is made once and kept in the state folder. */
import { createPrivateKey } from 'node:crypto'
import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import ssh2, { type ParsedKey } from 'ssh2'
import { FlotillaError, messageOf, systemCode } from '../../base/errors.ts'
import { systemRandom, type Random } from '../../base/random.ts'
import { keyText, publicKey } from './host-key.ts'
import { unreadableKey } from './key-format.ts'
import { newKeyPair } from './keygen.ts'

export interface PrivateKey {
  /** Where it came from, for people: a path, or "Flotilla's own key". */
  readonly source: string
  readonly parsed: ParsedKey
  /** "ssh-ed25519 AAAA…", without a comment. */
  readonly publicText: string
}

/** Reads a private key file of OpenSSH, PEM or PuTTY. Throws SSH_KEY_UNUSABLE. */
export async function loadKey(path: string, passphrase?: string): Promise<PrivateKey> {
  let text: Buffer
  try {
    text = await readFile(path)
  } catch (error) {
    throw unusable(path, unreadableWhy(error), 'Choose another key file.', error)
  }
  return parseKey(text, path, passphrase)
}

export function parseKey(text: Uint8Array | string, source: string, passphrase?: string): PrivateKey {
  const bytes = Buffer.from(text)
  let parsed = parse(bytes, passphrase)
  if (parsed instanceof Error && /unsupported/i.test(parsed.message)) parsed = parsePkcs8(bytes, passphrase) ?? parsed
  if (parsed instanceof Error) {
    if (/no passphrase given|passphrase required/i.test(parsed.message))
      throw unusable(
        source,
        'It is encrypted, and no passphrase was given.',
        'Enter its passphrase, or load it into your ssh-agent.',
        parsed,
      )
    if (/bad passphrase|bad decrypt/i.test(parsed.message))
      throw unusable(source, 'The passphrase is wrong.', 'Enter the passphrase again.', parsed)
    // One wrong passphrase in 256 decrypts to something that is then no key.
    if (passphrase !== undefined && bytes.includes('ENCRYPTED'))
      throw unusable(source, 'The passphrase is wrong.', 'Enter the passphrase again.', parsed)
    const [why, next] = unreadableKey(bytes, source) ?? ['It is not a private key.', 'Choose an OpenSSH, PEM or PuTTY private key.']
    throw unusable(source, why, next, parsed)
  }
  if (!parsed.isPrivateKey()) throw unusable(source, 'It is a public key.', 'Choose the private key: the same name without ".pub".')
  return { source, parsed, publicText: keyText(publicKey(parsed.getPublicSSH())) }
}

function parse(bytes: Buffer, passphrase: string | undefined): ParsedKey | Error {
  const parsed = ssh2.utils.parseKey(bytes, passphrase) as ParsedKey | ParsedKey[] | Error
  return Array.isArray(parsed) ? (parsed[0] ?? new Error('no key in the file')) : parsed
}

/** What `openssl genpkey` writes: read by Node and handed on in the older PEM form. */
function parsePkcs8(bytes: Buffer, passphrase: string | undefined): ParsedKey | Error | null {
  if (!/-----BEGIN (ENCRYPTED )?PRIVATE KEY-----/.test(bytes.toString('latin1', 0, 4096))) return null
  if (bytes.includes('ENCRYPTED PRIVATE KEY') && passphrase === undefined) return new Error('no passphrase given')
  try {
    const key = createPrivateKey({ key: bytes, format: 'pem', ...(passphrase === undefined ? {} : { passphrase }) })
    const type = key.asymmetricKeyType === 'ec' ? 'sec1' : 'pkcs1'
    return parse(Buffer.from(key.export({ format: 'pem', type })), undefined)
  } catch (error) {
    return error instanceof Error ? error : new Error(messageOf(error))
  }
}

function unreadableWhy(error: unknown): string {
  switch (systemCode(error)) {
    case 'ENOENT':
      return 'There is no such file.'
    case 'EACCES':
      return 'It may not be read by this user.'
    case 'EISDIR':
      return 'It is a folder.'
    default:
      return messageOf(error)
  }
}

function unusable(source: string, why: string, next: string, cause?: unknown): FlotillaError {
  return new FlotillaError('SSH_KEY_UNUSABLE', { what: `The key file ${source} cannot be used.`, why, next, cause })
}

const OWN = "Flotilla's own key"

/** The cluster's own key at `path` (mode 0600) with `path.pub` beside it; made on first use. */
export async function ensureClusterKey(path: string, comment: string, random: Random = systemRandom): Promise<PrivateKey> {
  try {
    return parseKey(await readFile(path), OWN)
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error
  }
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const pair = newKeyPair(random, comment)
  await writeFile(`${path}.pub`, `${pair.publicText} ${comment}\n`, { mode: 0o644 })
  await writeFile(`${path}.new`, pair.privateText, { mode: 0o600 })
  await chmod(`${path}.new`, 0o600)
  await rename(`${path}.new`, path)
  return parseKey(pair.privateText, OWN)
}
