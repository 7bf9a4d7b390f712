// Before the first paint, so that a dark window never flashes white.
;(() => {
  let theme = 'system'
  try {
    theme = JSON.parse(localStorage.getItem('flotilla.theme') ?? '"system"')
  } catch {
    // No storage: as the system says.
  }
  if (theme !== 'light' && theme !== 'dark') theme = matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light'
  document.documentElement.dataset.theme = theme
})()
