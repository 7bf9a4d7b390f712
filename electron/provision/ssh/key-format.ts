/** Why a private key that OpenSSH or PuTTY could use cannot be read here. Source: openssh PROTOCOL.key, PROTOCOL.u2f. */

/** What is the matter and what helps; null if the bytes are none of the formats that are known. */
export function unreadableKey(bytes: Buffer, path: string): readonly [why: string, next: string] | null {
  const text = bytes.toString('latin1')
  const putty = /^PuTTY-User-Key-File-(\d+): (\S+)/.exec(text)
  if (putty)
    return [
      `It is a PuTTY key of version ${putty[1]} (${putty[2]}), of which only version 2 with RSA is read.`,
      'Save it for OpenSSH: in PuTTYgen "Conversions", "Export OpenSSH key".',
    ]
  const body = /-----BEGIN OPENSSH PRIVATE KEY-----([^-]*)-----END/.exec(text)?.[1]
  if (body === undefined) return null
  const { cipher, type } = openSshKey(Buffer.from(body, 'base64'))
  if (type?.startsWith('sk-'))
    return [
      'Its secret is in a security key (FIDO), which only ssh itself can ask.',
      "Choose another key or a password for the first sign-in: later ones use a key of Flotilla's own.",
    ]
  // Others are read; such a key is damaged.
  if (!cipher?.startsWith('chacha20')) return null
  return [`It is encrypted with ${cipher}, which is not read.`, `Encrypt it in another way: ssh-keygen -p -Z aes256-ctr -f ${path}`]
}

function openSshKey(blob: Buffer): { cipher: string | null; type: string | null } {
  const magic = 'openssh-key-v1\0'
  let at = magic.length
  const string = (): Buffer | null => {
    if (at + 4 > blob.length) return null
    const end = at + 4 + blob.readUInt32BE(at)
    const value = end <= blob.length ? blob.subarray(at + 4, end) : null
    at = end
    return value
  }
  if (blob.toString('latin1', 0, magic.length) !== magic) return { cipher: null, type: null }
  const cipher = string()?.toString('latin1') ?? 'none'
  string()
  string()
  at += 4
  const key = string()
  const type = key && key.length > 4 ? key.toString('latin1', 4, 4 + key.readUInt32BE(0)) : null
  return { cipher: cipher === 'none' ? null : cipher, type }
}
