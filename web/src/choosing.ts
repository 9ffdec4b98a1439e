// Lists of which several things can be chosen: all at once, how many, and what needs a choice only with one.
export function installChoosing(page: ParentNode): void {
  for (const form of page.querySelectorAll<HTMLFormElement>('form[data-chooser]')) {
    const boxes = [...form.elements].filter(
      (each): each is HTMLInputElement => each instanceof HTMLInputElement && each.name === form.dataset['chooser'],
    )
    const all = form.querySelector<HTMLInputElement>('[data-choose-all]')
    const said = form.querySelector('[data-n-chosen]')
    const acts = form.querySelectorAll<HTMLButtonElement>('[data-needs-choice]')
    if (!all || !said || boxes.length === 0) continue
    const show = (): void => {
      const n = boxes.filter(({ checked }) => checked).length
      all.checked = n === boxes.length
      all.indeterminate = n > 0 && n < boxes.length
      said.textContent = n ? `${n} of ${boxes.length}` : ''
      for (const button of acts) button.disabled = n === 0
    }
    all.closest('label')?.removeAttribute('hidden')
    all.addEventListener('change', () => {
      for (const box of boxes) box.checked = all.checked
      show()
    })
    for (const box of boxes) box.addEventListener('change', show)
    show()
  }
}

/** Forms that are not to be sent twice, because what they ask for takes a while. */
export function installOnce(page: ParentNode): void {
  for (const form of page.querySelectorAll<HTMLFormElement>('form[data-once]')) {
    form.addEventListener('submit', () => {
      for (const button of form.querySelectorAll('button')) {
        button.disabled = true
        button.textContent = 'One moment…'
      }
    })
  }
}
