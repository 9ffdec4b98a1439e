// What the Brain says is wrong with a task, beside the fields it is about.
import type { Field } from './values'

const PLACES: readonly [RegExp, Field][] = [
  [/\bNR\b/, 'replicas'],
  [/\bboxSize\b/, 'boxSize'],
  [/\bseed\b/, 'seed'],
  [/\bnoiseDomain\b/, 'noiseDomain'],
  [/\bmask\b/, 'mask'],
  [/\bkernelSize\b/, 'kernelX'],
  [/\bkeepAcs\b/, 'keepAcs'],
  [/\bdecimate\b/, 'decimate'],
  [/\bacl\b/, 'acsY'],
  [/\bacceleration/, 'accelerationY'],
  [/\bsensitivityMap/, 'coilMaps'],
  [/\bcorrection\b|faCorrection/, 'flipAngleFile'],
  [/\bnoise\b|repetition/, 'noise'],
  [/\breconstructor\.name\b|\bscanner\b/, 'reconstruction'],
]

export interface Problem {
  readonly field: Field | null
  readonly text: string
}

/** Takes a refusal apart: one problem a sentence, `place: what is wrong`. */
export function problemsOf(message: string): Problem[] {
  const said = message.replace(/^The task is not valid: /, '').replace(/\.$/, '')
  return said.split('; ').map((sentence) => {
    const [, place = '', what = sentence] = /^([\w.]+): (.*)$/s.exec(sentence) ?? []
    const found = PLACES.find(([pattern]) => pattern.test(place)) ?? PLACES.find(([pattern]) => pattern.test(what))
    return { field: found?.[1] ?? null, text: what }
  })
}
