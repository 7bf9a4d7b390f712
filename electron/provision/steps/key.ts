/** The cluster's own key in the SSH user's authorized_keys. */
import { FlotillaError } from '../../base/errors.ts'
import { quote } from '../quote.ts'
import { requireSuccess, type Shell } from '../ssh/exec.ts'

/** Marks our lines, so that they can be found and taken out again. */
export function keyComment(cluster: string): string {
  return `flotilla-${cluster}`
}

/**
 * Puts the key there unless it is; true if it was added. `publicText` is "ssh-ed25519 AAAA…". The line's comment notes what was made
 * for it (the folder, the file, or the end of the last line), so that taking it out leaves all as it was.
 */
export async function installKey(user: Shell, publicText: string, cluster: string, signal?: AbortSignal): Promise<boolean> {
  const result = await user.exec(
    `
umask 077
file=$HOME/.ssh/authorized_keys made=
[ -d "$HOME/.ssh" ] || made=+folder
mkdir -p "$HOME/.ssh" || exit 1
if [ -f "$file" ] && grep -qF ${quote(publicText)} "$file"; then echo there; exit 0; fi
[ -n "$made" ] || [ -f "$file" ] || made=+file
if [ -s "$file" ] && [ -n "$(tail -c 1 "$file")" ]; then echo >> "$file" || exit 1; made=+newline; fi
printf '%s%s\\n' ${quote(`${publicText} ${keyComment(cluster)}`)} "$made" >> "$file" || exit 1
if command -v restorecon >/dev/null 2>&1; then restorecon -R "$HOME/.ssh" 2>/dev/null; fi
echo added`,
    { signal, timeoutMs: 90_000 },
  )
  requireSuccess(
    result,
    "Could not add Flotilla's key to authorized_keys.",
    'Check that the home folder of the user exists and is writable.',
  )
  return result.stdout.trim() === 'added'
}

/** Takes the key out again; all other lines stay as they are, and what was made for it goes. */
export async function removeKey(user: Shell, publicText: string, signal?: AbortSignal): Promise<void> {
  const result = await user.exec(
    `
file=$HOME/.ssh/authorized_keys
[ -f "$file" ] || exit 0
line=$(grep -F ${quote(publicText)} "$file") || exit 0
umask 077
grep -vF ${quote(publicText)} "$file" > "$file.flotilla"
[ $? -le 1 ] || exit 1
case $line in
*+newline) rest=$(cat "$file.flotilla") && printf %s "$rest" > "$file.flotilla" || exit 1 ;;
esac
cat "$file.flotilla" > "$file" && rm -f "$file.flotilla"
case $line in
*+file | *+folder) [ -s "$file" ] || rm -f "$file" ;;
esac
case $line in
*+folder) rmdir "$HOME/.ssh" 2>/dev/null ;;
esac
exit 0`,
    { signal, timeoutMs: 90_000 },
  )
  requireSuccess(result, "Could not take Flotilla's key out of authorized_keys.")
}

export function keyNotAccepted(host: string, user: string, cause: FlotillaError): FlotillaError {
  if (cause.why.includes('wants more'))
    return new FlotillaError('SSH_AUTH_FAILED', {
      what: `${host} wants more than a key of ${user}.`,
      why: 'It asks for a second factor each time (AuthenticationMethods), which nobody can give when Flotilla connects by itself.',
      next: `Let a key alone do for this user in sshd_config: Match User ${user}, AuthenticationMethods publickey.`,
      cause,
    })
  return new FlotillaError('SSH_AUTH_FAILED', {
    what: `${host} does not accept the key that was added for ${user}.`,
    why: 'Its SSH server may read authorized keys elsewhere (AuthorizedKeysFile), or allow no keys (PubkeyAuthentication).',
    next: "Let sshd read ~/.ssh/authorized_keys, which Flotilla's later connections need.",
    cause,
  })
}
