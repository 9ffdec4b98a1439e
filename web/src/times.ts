// Moments in the reader's own time: `<time datetime="…">` keeps the exact instant as its title.
export function showLocalTimes(page: ParentNode): void {
  for (const element of page.querySelectorAll<HTMLTimeElement>('time[datetime]:not([title])')) {
    const at = new Date(element.dateTime)
    if (Number.isNaN(at.getTime())) continue
    element.title = at.toISOString()
    element.textContent = at.toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' })
  }
}
