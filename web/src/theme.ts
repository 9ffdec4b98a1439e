// Light or dark: what the machine prefers, until the person chooses. The server reads the cookie, so no page flashes.
const YEAR_S = 31_536_000

export function installThemeSwitch(page: Document): void {
  page.querySelector('[data-theme-switch]')?.addEventListener('click', () => {
    const root = page.documentElement
    const isDark = root.dataset['theme']
      ? root.dataset['theme'] === 'dark'
      : matchMedia('(prefers-color-scheme: dark)').matches
    const theme = isDark ? 'light' : 'dark'
    root.dataset['theme'] = theme
    page.cookie = `cloudmr_theme=${theme}; path=/; max-age=${YEAR_S}; samesite=lax`
    page.dispatchEvent(new CustomEvent('cloudmr:theme', { detail: theme }))
  })
}
