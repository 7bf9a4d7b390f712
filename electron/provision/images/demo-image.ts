/**
 * `flotilla.local/demo:1`: something to deploy without any network. Its only program is a static busybox.
 *
 * The entrypoint `/bin/demo` serves HTTP on `$PORT` (8080 if unset) and prints one numbered line a second; it leaves at once on
 * TERM. `GET /` answers which pod it was, as HTML to browsers and as text to others; `/healthz` answers "ok". There is a shell
 * for terminals. Programs that resolve names (wget, nslookup, ping, telnet, …) are left out: busybox linked statically with glibc
 * crashes in them.
 */
import { imageArchive, type ImageEntry } from './archive.ts'
import type { Architecture } from './elf.ts'

export const DEMO_IMAGE = 'flotilla.local/demo:1'

const APPLETS =
  'sh ash awk base64 basename cat chgrp chmod chown clear cmp cp cut date dd df diff dirname du echo ed egrep env expr false find ' +
  'fold free grep gunzip gzip head hexdump hostname httpd id ip kill killall less ln ls md5sum mkdir mkfifo mktemp more mount mv nc ' +
  'netstat nproc od pidof printenv printf ps pwd readlink realpath reset rm rmdir sed seq sha1sum sha256sum sleep sort stat stty ' +
  'sync tail tar tee test timeout top touch tr true truncate tty umount uname uniq uptime usleep vi watch wc which whoami xargs xxd yes'

const ENTRYPOINT = `#!/bin/sh
port=\${PORT:-8080}
trap 'kill "$server" 2>/dev/null; exit 0' TERM INT
httpd -f -p "$port" -h /www &
server=$!
echo "$(date -u +%FT%TZ) \${HOSTNAME:-$(hostname)} serves port $port"
n=0
while kill -0 "$server" 2>/dev/null; do
  n=$((n + 1))
  echo "$(date -u +%FT%TZ) line $n from \${HOSTNAME:-$(hostname)}"
  sleep 1 &
  wait $!
done
echo "the web server ended" >&2
exit 1
`

const PAGE = `#!/bin/sh
name=\${HOSTNAME:-$(hostname)}
address=$(ip -4 -o addr show dev eth0 2>/dev/null | awk '{ sub("/.*", "", $4); print $4; exit }')
now=$(date -u +%FT%TZ)
printf 'Cache-Control: no-store\\r\\n'
case $HTTP_ACCEPT in
*text/html*)
  printf 'Content-Type: text/html; charset=utf-8\\r\\n\\r\\n'
  cat <<X
<!doctype html>
<html lang="en">
<meta name="viewport" content="width=device-width">
<title>$name</title>
<style>
  html { color-scheme: light dark; font: 18px/1.6 system-ui, sans-serif; height: 100% }
  body { display: grid; place-content: center; min-height: 100%; margin: 0; text-align: center }
  h1 { font-size: 2.4em; margin: 0 } p { margin: 0; opacity: .7 }
</style>
<h1>$name</h1>
<p>answered\${address:+ from $address} at $now</p>
</html>
X
  ;;
*)
  printf 'Content-Type: text/plain; charset=utf-8\\r\\n\\r\\n'
  echo "$name answered\${address:+ from $address} at $now"
  ;;
esac
`

/** The tar of `DEMO_IMAGE` for one architecture. `busybox` is a static busybox of that architecture with sh and httpd. */
export function demoArchive(architecture: Architecture, busybox: Uint8Array): Promise<Uint8Array> {
  const entries: ImageEntry[] = [
    { path: 'bin/busybox', mode: 0o755, content: busybox },
    ...APPLETS.split(' ').map((applet) => ({ path: `bin/${applet}`, link: 'busybox' })),
    { path: 'bin/demo', mode: 0o755, content: ENTRYPOINT },
    { path: 'etc/passwd', mode: 0o644, content: 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/tmp:/bin/sh\n' },
    { path: 'etc/group', mode: 0o644, content: 'root:x:0:\nnobody:x:65534:\n' },
    { path: 'root', directory: true, mode: 0o700 },
    { path: 'tmp', directory: true, mode: 0o1777 },
    { path: 'www/cgi-bin/index.cgi', mode: 0o755, content: PAGE },
    { path: 'www/healthz', mode: 0o644, content: 'ok\n' },
  ]
  return imageArchive(DEMO_IMAGE, [{ architecture, entries, entrypoint: ['/bin/demo'], ports: ['8080/tcp'] }])
}
