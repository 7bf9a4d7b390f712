/** Gives a text to the person as a file. */
export const saveText = (parts: readonly string[], name: string): void => saveBlob(new Blob([...parts], { type: 'text/plain' }), name)

export function saveBlob(content: Blob, name: string): void {
  const url = URL.createObjectURL(content)
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  URL.revokeObjectURL(url)
}
