// What every page needs: htmx for parts that come and go, the theme, and the token that proves a request is ours.
import 'htmx.org'
import { installChoosing, installOnce } from './choosing'
import { installCopying } from './copying'
import { csrfToken } from './csrf'
import { installThemeSwitch } from './theme'
import { showLocalTimes } from './times'

document.addEventListener('htmx:config:request', (event) => {
  const { ctx } = (event as CustomEvent<{ ctx: { request: { headers: Record<string, string> } } }>).detail
  ctx.request.headers['X-CSRF-Token'] = csrfToken()
})

installThemeSwitch(document)
installCopying(document)
showLocalTimes(document)
installChoosing(document)
installOnce(document)
document.addEventListener('htmx:after:swap', () => showLocalTimes(document))
