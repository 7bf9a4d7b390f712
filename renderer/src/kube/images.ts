/** An image's name without its registry and path, with tag; of a digest the first letters: "nginx:1.29", "web@4f53cda1". */
export function shortImage(image: string | undefined): string {
  if (!image) return ''
  const [name = '', digest] = image.split('@')
  const base = name.slice(name.lastIndexOf('/') + 1)
  const hex = digest?.split(':')[1]
  return hex && !base.includes(':') ? `${base}@${hex.slice(0, 8)}` : base
}

/** A fitting object name for what runs the image: "ghcr.io/acme/Web_App:1" is "web-app". */
export function nameFromImage(image: string): string {
  const base = shortImage(image).split(/[:@]/)[0] ?? ''
  return base
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]+/g, '-')
    .replaceAll(/^[^a-z]+|[^a-z0-9]+$/g, '')
    .slice(0, 52)
}
